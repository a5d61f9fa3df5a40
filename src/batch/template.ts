import path from 'node:path'
import {identityOfImage, referenceOfIdentity} from '../convert/identity-mapping.js'
import {parseImageName} from '../convert/image-name.js'
import type {ListRow} from '../convert/list.js'
import {digestOf, findDigest} from '../model/digest.js'
import {parseFullName, type PackageIdentity} from '../model/package-identity.js'
import {suggestNearest} from '../model/did-you-mean.js'
import type {PlanFault, PlanPath} from './plan-text.js'
import {withoutEnd, withoutStart} from '../model/text-ends.js'

/** What `{…}` may stand for in a destination or an option. */
export const TEMPLATE_FIELDS = [
  'publisher',
  'name',
  'version',
  'fullName',
  'repository',
  'tag',
  'imageId',
  'file',
] as const
export type TemplateField = (typeof TEMPLATE_FIELDS)[number]
export type TemplateValues = Readonly<Record<TemplateField, string>>

const FIELD = /\{([^{}]*)\}/g

function isField(name: string): name is TemplateField {
  return TEMPLATE_FIELDS.some((field) => field === name)
}

/** True when the text has any field, known or not. */
export function isTemplate(text: string): boolean {
  return text.search(FIELD) >= 0
}

/** What is wrong with a template: fields that do not exist. */
export function templateFaults(text: string, at: PlanPath): readonly PlanFault[] {
  return [...text.matchAll(FIELD)].flatMap(([, name = '']) =>
    isField(name)
      ? []
      : [
          {
            path: at,
            what: `The field {${name}} does not exist.`,
            suggestions: [
              ...suggestNearest(name, TEMPLATE_FIELDS),
              `Known: ${TEMPLATE_FIELDS.map((field) => `{${field}}`).join(' ')}`,
            ],
          },
        ],
  )
}

/** The text with its fields filled in. */
export function fillTemplate(text: string, values: TemplateValues): string {
  return text.replace(FIELD, (whole, name: string) => (isField(name) ? values[name] : whole))
}

/** The same for a part of a reference: values come from the source, which must not choose where we write. */
export function fillReference(text: string, values: TemplateValues): string {
  const isName = /^(?:docker|docker-daemon|containerd):/.test(text)
  const safe = Object.fromEntries(TEMPLATE_FIELDS.map((field) => [field, harmless(values[field], isName)]))
  return fillTemplate(text, safe as TemplateValues)
}

/** Of letters, digits and `. _ - + = @ ,` and single slashes, and no part is `..` or the like. */
function harmless(value: string, isName: boolean): string {
  const parts = value.split('/').map((part) => {
    const text = Array.from(part.replace(/[^\p{L}\p{N}._+=@,-]+/gu, '-'))
      .slice(0, 200)
      .join('')
    // The name of an image is no path: a tag may end in a dot, or be called as a device is.
    if (isName) return withoutStart(text, '.')
    // Windows opens a device where a name begins so.
    return withoutEnd(withoutStart(text, '.'), '.').replace(/^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i, '$&-')
  })
  const kept = parts.filter((part) => part !== '')
  return kept.length === 0 ? 'unnamed' : kept.join('/')
}

/** Names of an image that a row has; of a package those of the image that it was made of. */
export function imageNamesOf({identity, names}: Pick<ListRow, 'identity' | 'names'>): readonly string[] {
  return identity === undefined ? names : names.filter((name) => name !== identity)
}

/**
 * What a row of a listing gives to fill in; `sourcePath` is the file or folder it was found in, `name` the one of the
 * image's names that is meant, by default its first.
 */
export function templateValues(row: ListRow, sourcePath: string, name = imageNamesOf(row)[0]): TemplateValues {
  const file = path.basename(sourcePath).replace(/(?:\.tar)?(?:\.(?:gz|tgz|zst|bz2|xz|tar))?$/i, '')
  const imageId = row.imageId === undefined ? '' : row.imageId.replace(/^sha256:/, '').slice(0, 12)
  if (row.identity !== undefined) return {...ofPackage(parseFullName(row.identity)), ...ofName(name), imageId, file}
  if (row.kind === 'image') {
    const id = findDigest(row.imageId ?? '') ?? digestOf(Buffer.from(name ?? ''))
    const {createdTime: created} = row
    const identity = identityOfImage(name, {imageId: id, ...(created === undefined ? {} : {created})})
    return {...ofPackage(identity), ...ofName(name), imageId, file}
  }
  return {publisher: '', name: file, version: '', fullName: file, repository: file, tag: '', imageId, file}
}

function ofPackage(identity: PackageIdentity): Omit<TemplateValues, 'imageId' | 'file'> {
  const [repository = '', tag = ''] = referenceOfIdentity(identity).split(':')
  const {publisher, name, version} = identity
  const fullName = `${publisher}_${name}_${version}`
  return {publisher: publisher.replace(/^CN=/i, ''), name, version, fullName, repository, tag}
}

/** What a name says of itself; a name without a tag leaves the tag to the identity. */
function ofName(name: string | undefined): Partial<Pick<TemplateValues, 'repository' | 'tag'>> {
  if (name === undefined) return {}
  const {path: repository, tag} = parseImageName(name)
  return {repository, ...(tag === undefined ? {} : {tag})}
}
