-- The results of the scripts that write for a turn: names and numbers as in bridge/store/lanes/patch.py. A test compares them.

local STEP = {lost = 0, written = 1, newer = 2, changed = 3, there = 4, shut = 5, no_room = 6}

local RELEASE = {lost = 0, written = 1, held = 2}
