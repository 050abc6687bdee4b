"""Ion images: simulated ones, and METASPACE's gold standard."""
