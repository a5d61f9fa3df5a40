import type {Transport} from '../transport.js'
import {createRepository} from './destination.js'
import {formatInboxReference, GRAMMAR, INBOX, parseInboxLocation} from './reference.js'
import {isRepository} from './repository.js'
import {listPackages, openPackage} from './source.js'
import {verifyPackages} from './verify.js'

/** A repository of packages: a folder for each, as the inbox stack keeps them. Source: inbox package page, section 3.2. */
export const inbox: Transport = {
  name: INBOX,
  grammar: GRAMMAR,
  parse: parseInboxLocation,
  format: formatInboxReference,
  recognises: isRepository,
  list: listPackages,
  open: openPackage,
  create: createRepository,
  verify: verifyPackages,
}
