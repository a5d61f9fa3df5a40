import {stat} from 'node:fs/promises'
import {listLayout, openLayoutImage, openLayoutIndex} from '../../formats/oci-layout/layout.js'
import type {LayoutPlace} from '../../formats/oci-layout/opened-layout.js'
import {createLayout} from '../../formats/oci-layout/layout-destination.js'
import {layoutGrammar} from '../../formats/oci-layout/reference.js'
import {verifyLayout} from '../../formats/oci-layout/verify-layout.js'
import {requireFile, TarFile, type OpenMember} from '../../formats/archive-file/tar-file.js'
import {findTarNames} from '../../formats/archive-file/tar-names.js'
import type {Transport} from '../../model/transport.js'
import {openTar} from './tar.js'
import {tarLayout} from './tar-layout.js'

const NAME = 'oci-archive'
const grammar = layoutGrammar(NAME, 'FILE')
const place: LayoutPlace = {open: openTar, format: grammar.format}

/** An OCI layout in one tar, as skopeo, podman and BuildKit write it. */
export const ociArchive: Transport = {
  name: NAME,
  grammar: 'FILE[:TAG|@DIGEST]',
  parse: grammar.parse,
  format: grammar.format,
  recognises: async (path) => {
    try {
      const names = (await stat(path)).isFile() ? await findTarNames(path) : undefined
      // With these it is what docker save makes, whatever else it holds.
      if (names === undefined || names.has('manifest.json') || names.has('repositories')) return false
      return names.has('oci-layout') && names.has('index.json')
    } catch {
      // What cannot be read is not recognised; opening it by name tells why.
      return false
    }
  },
  list: (reference, options) => listLayout(place, reference, options),
  open: (reference, options) => openLayoutImage(place, reference, options),
  openIndex: (reference, options) => openLayoutIndex(place, reference, options),
  create: async (reference, options) => {
    await requireFile(reference.path, options.replace === true)
    const open = async () => tarLayout(await TarFile.create(reference.path, options))
    return createLayout<OpenMember>({reference, format: grammar.format, open}, options)
  },
  verify: (reference, options) => verifyLayout(place, reference, options),
}
