import type {Transport} from '../../model/transport.js'
import {createLayout} from './destination.js'
import {findLayoutFolder} from './layout-folder.js'
import {formatLayoutReference, GRAMMAR, LAYOUT, parseLayoutLocation} from './reference.js'
import {listLayout, openLayout} from './source.js'
import {verifyLayoutFolder} from './verify.js'

/** A bare transport layout, as the Windows API exports and imports it. Source: transport layout page, section 1. */
export const layout: Transport = {
  name: LAYOUT,
  grammar: GRAMMAR,
  parse: parseLayoutLocation,
  format: formatLayoutReference,
  recognises: (path) => Promise.resolve(findLayoutFolder(path) !== undefined),
  list: listLayout,
  open: openLayout,
  create: createLayout,
  verify: verifyLayoutFolder,
}
