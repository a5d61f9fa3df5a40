import {formatFullName} from '../../model/package-identity.js'
import type {Reference} from '../../model/reference.js'
import {createPackages} from '../../formats/package/destination.js'
import type {PackagePlace} from '../../formats/package/package-place.js'
import {listPackages, openPackage} from '../../formats/package/open-package.js'
import {isMissing} from '../../formats/package/repository.js'
import {verifyPackages} from '../../formats/package/verify-packages.js'
import type {Transport} from '../../model/transport.js'
import {GRAMMAR, INBOX} from './reference.js'
import {repositoryFor} from './kept-repository.js'
import {isRepository, readRepository, repositoryOf, requireRepository} from './repository.js'

const MARKER = {name: 'repository.json', bytes: '{"Format":"transship-repository","FormatVersion":1}\r\n'}

/** A repository of packages: a folder for each, as the inbox stack keeps them. Source: inbox package page, section 3.2. */
export const inbox: Transport = {
  name: INBOX,
  grammar: GRAMMAR.grammar,
  parse: GRAMMAR.parse,
  format: GRAMMAR.format,
  recognises: isRepository,
  list: async (reference, options) => listPackages(await repositoryFor(reference), reference.selector, options),
  open: async (reference, options) => openPackage(await repositoryFor(reference), reference.selector, options),
  create: async (reference, options) => createPackages(await placeOf(reference), options),
  verify: async (reference, options) => {
    const repository = await repositoryFor(reference)
    await requireRepository(repository)
    return verifyPackages(repository, reference.selector, options)
  },
}

/** It is made if it is not there. Each package is a folder of its own, called by its full name. */
async function placeOf({path: root}: Reference): Promise<PackagePlace> {
  const exists = !(await isMissing(root))
  return {
    root,
    exists,
    reference: `${INBOX}:${root}`,
    workPrefix: '.tmp-',
    marker: MARKER,
    read: async () => ((await isMissing(root)) ? repositoryOf(root) : readRepository(root)),
    nameOf: formatFullName,
    seal: ({folder, stored, bytesWritten}) => Promise.resolve({path: folder, stored, bytesWritten}),
  }
}
