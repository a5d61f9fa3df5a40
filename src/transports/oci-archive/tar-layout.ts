import type {LayoutFiles} from '../../formats/oci-layout/layout-files.js'
import type {OpenMember, TarFile} from '../../formats/archive-file/tar-file.js'

/** A tar that becomes an OCI layout: blobs in the order they come, documents last. The file is given up on a failure. */
export async function tarLayout(file: TarFile): Promise<LayoutFiles<OpenMember>> {
  try {
    for (const name of ['blobs/', 'blobs/sha256/']) await file.add({name, typeflag: '5', mode: 0o755})
  } catch (error) {
    // Nobody holds it yet, who could.
    await file.abort().catch(() => undefined)
    throw error
  }
  const addFile = (name: string, bytes: Uint8Array) =>
    file.add({name, typeflag: '0', mode: name.startsWith('blobs/') ? 0o444 : 0o644}, bytes)
  return {
    get size() {
      return file.size
    },
    addBody: (body, options) => file.addBody(body, options),
    name: (member, name) => file.name(member, name),
    drop: (member) => file.drop(member),
    addFile,
    commit: async (index, options) => {
      await addFile('index.json', index(undefined))
      return file.commit(options)
    },
    abort: () => file.abort(),
  }
}
