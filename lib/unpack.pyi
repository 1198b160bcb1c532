# No Python names: see unpack.pxd.
