import type {ImageDescription} from '../../codecs/wim/description.js'
import {InputError, UsageError} from '../../model/errors.js'
import type {Reference} from '../../model/reference.js'
import {formatWimReference, WIM} from './reference.js'
import type {WimFile} from './wim-file.js'

/** Docker's and Microsoft's own base images kept the utility VM of an image beside it, under this name. */
const UTILITY_VM = 'UTILITYVM'

/** True for an image that is no container of its own but the utility VM of one. */
export function isUtilityVm({name}: ImageDescription): boolean {
  return name?.toUpperCase() === UTILITY_VM
}

/** The images that a selector leaves: a number or a name, case-insensitively as DISM compares. */
export function matching(wim: WimFile, {selector}: Reference): readonly ImageDescription[] {
  const {descriptions} = wim
  if (selector === undefined) return descriptions
  if (/^[0-9]+$/.test(selector)) {
    const numbered = descriptions.filter(({index}) => index === Number(selector))
    if (numbered.length > 0) return numbered
  }
  return descriptions.filter(({name}) => name?.toUpperCase() === selector.toUpperCase())
}

/** The one image that the reference selects. Without a selector, a utility VM is not meant. */
export function requireOne(wim: WimFile, reference: Reference): ImageDescription {
  const found = matching(wim, reference)
  const containers = found.filter((description) => !isUtilityVm(description))
  const chosen = reference.selector === undefined && containers.length > 0 ? containers : found
  const [first, second] = chosen
  const offered = (first === undefined ? wim.descriptions : chosen).map((description) => suggestion(wim, description))
  if (first === undefined) {
    throw new InputError('NOT_FOUND', {
      what: wim.descriptions.length === 0 ? 'The file contains no images.' : 'The file does not contain that image.',
      ...(reference.selector === undefined ? {} : {why: `The reference asks for '${reference.selector}'.`}),
      suggestions: offered,
      at: {reference: formatWimReference(reference)},
    })
  }
  if (second !== undefined) {
    throw new UsageError('AMBIGUOUS_SELECTION', {
      what: `'${reference.path}' contains ${chosen.length} images that match.`,
      suggestions: offered,
      at: {reference: formatWimReference(reference)},
    })
  }
  return first
}

/** A reference by number, which is always unique. */
export function referenceOf(wim: WimFile, {index}: ImageDescription): string {
  return formatWimReference({transport: WIM, path: wim.path, selector: String(index)})
}

function suggestion(wim: WimFile, description: ImageDescription): string {
  const {name, displayName} = description
  const title = name ?? displayName
  return title === undefined ? referenceOf(wim, description) : `${referenceOf(wim, description)} (${title})`
}
