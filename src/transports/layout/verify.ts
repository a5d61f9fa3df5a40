import {InputError, UnsupportedError} from '../../model/errors.js'
import {ImageNames} from '../../model/image-names.js'
import type {Reference} from '../../model/reference.js'
import type {Fault, OpenOptions, Verdict} from '../../model/transport.js'
import {checkingNames} from '../../formats/layer-blob/checked-names.js'
import {checkingHives} from '../../formats/layer-blob/verify-hives.js'
import {verifyIndex} from '../../formats/transport-layout/verify-layout.js'
import {requirePlatform} from '../../formats/image-documents/platform-choice.js'
import {openLayoutFolder, readIndexOf, requireLayoutFolder} from './layout-folder.js'
import {formatLayoutReference} from './reference.js'
import {WINDOWS} from './source.js'

/** Reads every entry, which checks carriers, names and deletions, and holds the files against the index beside them. */
export async function verifyLayoutFolder(reference: Reference, options: OpenOptions): Promise<Verdict> {
  requirePlatform(WINDOWS, {reference: formatLayoutReference(reference), wanted: options.platform})
  const found = requireLayoutFolder(reference.path)
  const faults: Fault[] = []
  let entries = 0
  let bytes = 0
  try {
    const index = readIndexOf(found.folder)
    const layout = openLayoutFolder(found, index, options)
    if (index !== undefined) {
      const verdict = await verifyIndex(layout, index, options)
      for (const fault of verdict.faults) faults.push(fault)
      bytes = verdict.bytes
    }
    const keep = (fault: Fault): void => {
      faults.push(fault)
    }
    const layers = [{title: found.folder, hasContent: true, entries: () => layout.entries()}]
    const named = {names: new ImageNames(layers, {isWhole: found.form === 'base'}), index: 0}
    const followed = checkingNames(layout.entries(), named, {...options, report: keep})
    for await (const entry of checkingHives(followed, keep)) if (entry.kind !== 'frame') entries++
  } catch (error) {
    if (!(error instanceof InputError || error instanceof UnsupportedError)) throw error
    faults.push({code: error.code, message: error.message, subject: found.folder})
  }
  return {faults, layers: [{title: found.folder, entries}], bytes}
}
