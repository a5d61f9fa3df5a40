import type {Reference} from '../../model/reference.js'
import {Archive} from '../../formats/archive-file/archive.js'
import {ArchiveCheck} from '../../formats/image-archive/archive-check.js'
import type {OpenOptions, Verdict} from '../../model/transport.js'
import {matching, requireOne} from './select-image.js'

/** Checks all images that the reference selects, and every content-addressed member, and gathers all faults. */
export async function verifyArchive(reference: Reference, options: OpenOptions): Promise<Verdict> {
  const archive = await Archive.open(reference.path, options)
  try {
    return await new ArchiveCheck(archive, options).run((offers, check) => {
      const chosen = matching(offers, reference, options.platform)
      if (chosen.length === 0 && offers.length > 0 && options.platform !== undefined)
        requireOne(offers, reference, options.platform)
      if (chosen.length === 0 && reference.selector !== undefined) {
        check.add('NOT_FOUND', `The archive does not contain the image '${reference.selector}'.`, archive.path)
      }
      return chosen
    })
  } finally {
    await archive.close()
  }
}
