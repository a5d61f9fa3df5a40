import type {Reference} from '../../model/reference.js'
import {Archive} from '../../formats/archive-file/archive.js'
import {ArchiveCheck} from '../../formats/image-archive/archive-check.js'
import type {OpenOptions, Verdict} from '../../model/transport.js'
import {matching, requireOne} from './select-image.js'

/** Checks all images that the reference selects, and without a selector every content-addressed member; gathers all faults. */
export async function verifyArchive(reference: Reference, options: OpenOptions): Promise<Verdict> {
  const archive = await Archive.open(reference.path, options)
  try {
    return await new ArchiveCheck(archive, options).run(
      (offers, check) => {
        const chosen = matching(offers, reference, options.platform)
        // A damaged image may be the one that was meant, and its fault is reported.
        const isAsked = reference.selector !== undefined || options.platform !== undefined
        if (chosen.length === 0 && isAsked && check.verdict.faults.length === 0)
          requireOne(offers, reference, options.platform)
        return chosen
      },
      {
        isWhole: reference.selector === undefined && options.platform === undefined,
        isSelected: reference.selector !== undefined,
      },
    )
  } finally {
    await archive.close()
  }
}
