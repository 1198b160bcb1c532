from speeddata.columns import time_ns as time_ns
