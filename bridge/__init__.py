"""ghl-bridge answers GoHighLevel conversations with an AI agent: nothing lost, nothing twice, and always a reason.

A webhook's bytes are verified, parsed and accepted by one Lua script in Redis; then its sender is told 202. A dispatcher in
every worker publishes one Celery task for each lane that is due. The task leases the lane, asks the guards, gets a completion,
saves it, asks the guards again, notes in the ledger what it is about to post, posts it into GHL, notes that it did, and gives
the lane back.

Reading order: `model` (the words), `errors` (what can go wrong, by what to do next), `flow` (the whole story on one page),
`answering` (its steps), `store` and its scripts (what is atomic), then `workers`.
"""
