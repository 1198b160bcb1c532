"""SpeedData: record, watch live and analyse telemetry that arrives as Avro over UDP."""

__version__ = "0.7.0.dev0"
