import {InputError} from '../../model/errors.js'
import type {Reference} from '../../model/reference.js'
import {listPackages, openPackage} from '../../formats/package/open-package.js'
import {verifyPackages} from '../../formats/package/verify-packages.js'
import type {Transport, Verdict, VerifyOptions} from '../../model/transport.js'
import {createAppx} from './destination.js'
import {APPX, GRAMMAR} from './reference.js'
import {isAppxPlace, readPlace} from './repository.js'
import {verifyContainer} from './verify.js'

/**
 * Exported packages: an .appx file for each, alone or several in a folder. What Export-ContainerImage wrote is not public; the
 * form is ours, by the rules of AppX. Source: inbox package page, sections 2 and 3.3.
 */
export const appx: Transport = {
  name: APPX,
  grammar: GRAMMAR.grammar,
  parse: GRAMMAR.parse,
  format: GRAMMAR.format,
  recognises: isAppxPlace,
  list: async (reference, options) => listPackages(await readPlace(reference), reference.selector, options),
  open: async (reference, options) => openPackage(await readPlace(reference), reference.selector, options),
  create: createAppx,
  verify: verifyAppx,
}

async function verifyAppx(reference: Reference, options: VerifyOptions): Promise<Verdict> {
  const repository = await readPlace(reference)
  if (repository.packages.length + repository.faults.length === 0) {
    throw new InputError('UNRECOGNISED_FORMAT', {
      what: `'${reference.path}' contains no .appx file.`,
      suggestions: ['Pass the file or the folder that contains it.'],
      at: {reference: GRAMMAR.format(reference)},
    })
  }
  return verifyPackages(repository, reference.selector, {
    ...options,
    verifyContainer: (stored) => verifyContainer(stored, options),
  })
}
