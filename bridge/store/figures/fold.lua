-- Add what scripts have counted and left to be folded.
-- Answers 1.
-- Needs: timeline
pass_when_full()
fold_counts()
return 1
