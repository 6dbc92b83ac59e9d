// Import it first of all: works when it is loaded, since it is too late once the rest of a program has loaded.
//
// Keeps V8 from taking memory only because there is some. By default the young generation grows to 128 MB as soon as
// there is work, and garbage of several times what is alive may wait in the old one: the realtime embedder then held
// 420 MB and was no faster. With these limits it holds 280 MB. Flags of V8, not of the command line, because whoever
// starts a service would have to know them.
import { setFlagsFromString } from 'node:v8'

/** The young generation stays at the size that loading gives it, 16 MB. */
setFlagsFromString('--semi-space-growth-factor=1')
/** A full collection when the heap is twice what the last one left. */
setFlagsFromString('--heap-growing-percent=100')
