"""GHL's side: signature, events and messages are pure; client speaks HTTP."""
