import {existsSync} from 'node:fs'
import path from 'node:path'
import {listLayout, namesInLayout, openLayoutImage, openLayoutIndex} from '../../formats/oci-layout/layout.js'
import type {LayoutPlace} from '../../formats/oci-layout/opened-layout.js'
import {createLayout} from '../../formats/oci-layout/layout-destination.js'
import {layoutGrammar} from '../../formats/oci-layout/reference.js'
import {verifyLayout} from '../../formats/oci-layout/verify-layout.js'
import type {Transport} from '../../model/transport.js'
import {openFolder} from './folder.js'
import {findIndex, requireLayoutOrFree, StagedFiles, type StagedBody} from './staged-files.js'

const NAME = 'oci'
const grammar = layoutGrammar(NAME, 'DIR')
const place: LayoutPlace = {open: openFolder, format: grammar.format}

/** An OCI layout in a folder. */
export const oci: Transport = {
  name: NAME,
  grammar: 'DIR[:TAG|@DIGEST]',
  parse: grammar.parse,
  format: grammar.format,
  recognises: (folder) =>
    Promise.resolve(['oci-layout', 'index.json'].every((name) => existsSync(path.join(folder, name)))),
  list: (reference, options) => listLayout(place, reference, options),
  names: (reference, options) => namesInLayout(place, reference, options),
  open: (reference, options) => openLayoutImage(place, reference, options),
  openIndex: (reference, options) => openLayoutIndex(place, reference, options),
  create: async (reference, options) => {
    await requireLayoutOrFree(reference.path)
    const open = () => StagedFiles.open(reference.path, grammar.format(reference), options)
    const peek = () => findIndex(reference.path)
    return createLayout<StagedBody>({reference, format: grammar.format, open, peek}, options)
  },
  verify: (reference, options) => verifyLayout(place, reference, options),
}
