import type {ImageDescription} from '../../codecs/wim/description.js'
import type {ImageTree} from '../../codecs/wim/image-tree.js'
import {CONFIG_FILES} from '../../model/hive-role.js'
import type {Platform, RawDocument} from '../../model/image.js'
import {HIVE_NAMES} from '../../model/layer-path.js'
import {UNIX_EPOCH} from '../../model/windows-metadata.js'
import {findTaggedName} from '../../formats/image-documents/image-name.js'

export const CONFIG_FOLDER = ['Windows', 'System32', 'config'] as const
const CONFIG_MEDIA_TYPE = 'application/vnd.oci.image.config.v1+json'
/** In front of what the XML says of an image, among the labels of its configuration. */
const LABEL = 'io.transship.wim'
const MAX_NAME = 128

/** What the XML tells of the platform. Features: Docker gives `win32k` to all but Nano Server. */
export function platformOf({name, flags, windows}: ImageDescription): Platform {
  const isNano = [name, flags, windows?.editionId, windows?.installationType].some((text) => /nano/i.test(text ?? ''))
  return {
    os: 'windows',
    architecture: windows?.architecture ?? 'amd64',
    ...(windows?.version === undefined ? {} : {osVersion: windows.version}),
    ...(windows === undefined || isNano ? {} : {osFeatures: ['win32k']}),
  }
}

/** `name:version`, as Docker's own loader of these files called them; none for a name without letters and digits. */
export function imageNamesOf({name, displayName, windows}: ImageDescription): readonly string[] {
  const repository = (name ?? displayName ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_NAME)
    .replace(/^-|-$/g, '')
  const tagged = findTaggedName(`${repository}:${windows?.version ?? 'latest'}`)
  return tagged === undefined ? [] : [tagged.familiar]
}

/** RFC 3339, to the second; undefined for a time that the XML does not state. */
export function createdTimeOf({creationTime}: ImageDescription): string | undefined {
  if (creationTime === undefined || creationTime < UNIX_EPOCH) return undefined
  const time = new Date(Number((creationTime - UNIX_EPOCH) / 10_000_000n) * 1000)
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString().replace('.000Z', 'Z')
}

/** True when the image has a Windows in it: it has a system hive. */
export function isWindowsImage(tree: ImageTree): boolean {
  return tree.find(...CONFIG_FOLDER, CONFIG_FILES.System) !== undefined
}

/** Hives that a container needs and that are not there. */
export function missingHives(tree: ImageTree): readonly string[] {
  return HIVE_NAMES.map((name) => CONFIG_FILES[name]).filter((file) => tree.find(...CONFIG_FOLDER, file) === undefined)
}

/**
 * The configuration of a base image, or of the changes to another. It states no layer: that follows from how the layer is
 * written.
 */
export function configOf(description: ImageDescription, platform: Platform, below?: ImageDescription): RawDocument {
  const {architecture, osVersion, osFeatures} = platform
  const created = createdTimeOf(description)
  const config = {
    ...(created === undefined ? {} : {created}),
    architecture,
    os: 'windows',
    ...(osVersion === undefined ? {} : {'os.version': osVersion}),
    ...(osFeatures === undefined ? {} : {'os.features': osFeatures}),
    config: {Labels: labelsOf(description)},
    rootfs: {type: 'layers', diff_ids: []},
    history:
      below === undefined
        ? [historyOf('Apply image', description)]
        : [historyOf('Apply image', below), historyOf('Apply changes of image', description)],
  }
  return {mediaType: CONFIG_MEDIA_TYPE, bytes: Buffer.from(JSON.stringify(config))}
}

function historyOf(act: string, description: ImageDescription): object {
  const {windows, name, index} = description
  const created = createdTimeOf(description)
  const what = windows?.version ?? name ?? `image ${index}`
  return {...(created === undefined ? {} : {created}), created_by: `${act} ${what}`}
}

function labelsOf({name, description, displayName, flags, windows}: ImageDescription): Record<string, string> {
  const languages = windows?.languages.join(',')
  const labels = {
    name,
    description,
    'display-name': displayName,
    flags,
    edition: windows?.editionId,
    'installation-type': windows?.installationType,
    product: windows?.productName,
    version: windows?.version,
    languages: languages === '' ? undefined : languages,
    'default-language': windows?.defaultLanguage,
  }
  return Object.fromEntries(
    Object.entries(labels).flatMap(([key, value]) => (value === undefined ? [] : [[`${LABEL}.${key}`, value]])),
  )
}
