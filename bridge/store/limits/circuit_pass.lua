-- A provider has answered: its circuit is closed.
--   ARGV[1]  circuit
-- Answers 1.
-- Needs: circuits
pass_when_full()
close_circuit(ARGV[1])
return 1
