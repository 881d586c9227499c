-- A provider has answered: its circuit is closed.
-- ARGV: circuit
-- Needs: circuits
pass_when_full()
close_circuit(ARGV[1])
return 1
