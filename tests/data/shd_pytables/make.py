"""Writes spikes.h5 and deflated.h5: spike trains in SHD's layout, as PyTables writes them (SHD was made with it)."""

import numpy as np
import tables

NUM_SAMPLES = 5

for name, filters in (("spikes.h5", None), ("deflated.h5", tables.Filters(complevel=5, complib="zlib", shuffle=True))):
    with tables.open_file(name, "w", filters=filters) as out:
        spikes = out.create_group("/", "spikes")
        times = out.create_vlarray(spikes, "times", tables.Float16Atom(), chunkshape=4)
        units = out.create_vlarray(spikes, "units", tables.UInt16Atom(), chunkshape=4)
        for sample in range(NUM_SAMPLES):
            # Sample i has 3 i spikes: spike k comes at k / 16 + i / 1024 s in channel 100 i + 7 k.
            k = np.arange(3 * sample)
            times.append((k / 16 + sample / 1024).astype(np.float16))
            units.append((100 * sample + 7 * k).astype(np.uint16))
        out.create_array("/", "labels", np.arange(NUM_SAMPLES) % 3)
        extra = out.create_group("/", "extra")
        out.create_array(extra, "speaker", np.array([4, 5, 4, 5, 6], dtype=np.uint16))
        out.create_array(extra, "keys", [b"zero", b"one", b"zwei"])
        info = out.create_group(extra, "meta_info")
        out.create_array(info, "gender", [b"m", b"f", b"m"])
