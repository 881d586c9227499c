"""What the bridge is measured against: bridges and receivers with fewer duties."""
