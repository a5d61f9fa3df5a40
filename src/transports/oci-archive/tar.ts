import {Archive} from '../../formats/archive-file/archive.js'
import {archiveStore} from '../../formats/oci-layout/archive-store.js'
import type {LayoutBlob, OpenedLayout} from '../../formats/oci-layout/opened-layout.js'
import type {WorkOptions} from '../../model/events.js'

/** Opens an OCI layout in a tar, compressed or not; `-` is standard input. */
export async function openTar(path: string, options: WorkOptions): Promise<OpenedLayout> {
  const archive = await Archive.open(path, options)
  return {
    contents: archive.contents,
    store: archiveStore(archive),
    members: archive,
    findFile: async (name) => {
      const entry = archive.find(name)
      return entry === undefined ? undefined : archive.readDocument(entry)
    },
    blobs: () => blobsIn(archive),
    close: () => archive.close(),
  }
}

async function* blobsIn(archive: Archive): AsyncGenerator<LayoutBlob> {
  for (const name of archive.names()) {
    // Of what leads out of the archive the name is the fault, and not what it leads to.
    const isBlob = name.startsWith('blobs/') && !name.split('/').includes('..')
    const entry = isBlob ? archive.find(name) : undefined
    if (entry === undefined) continue
    yield await Promise.resolve({
      name,
      sizeBytes: entry.size,
      open: (options: WorkOptions) => archive.stream(entry, options),
    })
  }
}
