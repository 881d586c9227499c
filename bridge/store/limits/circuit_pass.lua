-- Close the circuit of a provider that has answered.
--   ARGV[1]  circuit
-- Answers 1.
-- Needs: circuits
pass_when_full()
close_circuit(ARGV[1])
return 1
