-- Add the counts that scripts have left in `counts` to totals and charts.
--   KEYS[1...]  prefix of each partition
-- Answers 1.
-- Needs: timeline
pass_when_full()
fold_all(1)
return 1
