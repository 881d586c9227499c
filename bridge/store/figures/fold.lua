-- Add what scripts have counted and left to be folded.
--   KEYS[1...]  prefix of each partition
-- Answers 1.
-- Needs: timeline
pass_when_full()
fold_all(1)
return 1
