"""ghl-bridge answers GoHighLevel conversations with an AI agent: nothing lost, nothing sent twice, always a reason.

A webhook's bytes are verified and parsed, and one Lua script in Redis accepts the message; then the sender gets a 202. A
dispatcher in every worker publishes one Celery task for each lane that is due. The task leases the lane, checks the guards, gets
a completion, saves it, checks the guards again, records the post in the ledger, posts into GHL, records the result, and releases
the lane.

Reading order: `model` (the terms), `errors` (exceptions, by what to do next), `flow` (the whole flow on one page), `answering`
(its steps), `store` and its scripts (everything atomic), then `workers`.
"""
