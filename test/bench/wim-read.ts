import {WimFile} from '../../src/transports/wim/wim-file.js'

/* Reads and checks every content of a Windows image file once, as `wimlib-imagex verify` does. */

const wim = await WimFile.open(process.argv[2] ?? '')
for (const blob of wim.table.blobs.values()) for await (const _piece of wim.read(blob, blob.hash));
await wim.close()
