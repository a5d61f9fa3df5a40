import {listPackages, openPackage} from '../shared/package/open-package.js'
import {verifyPackages} from '../shared/package/verify-packages.js'
import type {Transport} from '../transport.js'
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
  verify: async (reference, options) =>
    verifyPackages(await readPlace(reference), reference.selector, {
      ...options,
      verifyContainer: (stored) => verifyContainer(stored, options),
    }),
}
