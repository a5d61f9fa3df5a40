import type {ImageDescription} from '../../codecs/wim/description.js'
import {HiveFile} from '../../codecs/registry-hive/hive-file.js'
import {sourceOfBytes} from '../../codecs/registry-hive/hive-source.js'
import {osFactsIn, osVersionIn, type OsFacts} from '../../formats/transport-layout/os-facts.js'
import {TransshipError} from '../../model/errors.js'
import {CONFIG_FILES} from '../../model/hive-role.js'
import type {Image, Platform} from '../../model/image.js'
import {CONFIG_FOLDER, platformOf} from './describe-image.js'
import {readHive, type OpenedTree} from './hive-delta.js'

/** Codes of errors that say that a hive cannot be used; what is damaged is told where all of the image is read. */
const UNUSABLE: ReadonlySet<string> = new Set([
  'HIVE_CORRUPT',
  'HIVE_DIRTY',
  'FORMAT_UNSUPPORTED',
  'LIMIT_EXCEEDED',
  'LAYER_MISSING',
  'DIGEST_MISMATCH',
  'ARCHIVE_CORRUPT',
  'ARCHIVE_TRUNCATED',
])

/**
 * The platform of an image by its own SOFTWARE hive, held against the XML, which any tool may write as it likes. Where
 * they contradict each other, the hive counts and the contradiction is a warning. Source: design, section 8.
 */
export async function provenPlatform(
  opened: OpenedTree,
  description: ImageDescription,
): Promise<{readonly platform: Platform; readonly contradictions: Image['warnings']}> {
  const stated = platformOf(description)
  const contradictions: Image['warnings'][number][] = []
  const facts = await findFacts(opened, (message) => contradictions.push({code: 'os-hive-unusable', message}))
  if (facts === undefined) return {platform: stated, contradictions}
  const contradict = (subject: string, hive: string, xml: string) => {
    const message = `The SOFTWARE hive says ${subject} ${hive}, but the XML says ${xml}. transship trusts the hive.`
    contradictions.push({code: 'os-evidence-contradicts', message})
  }
  const {windows} = description
  const osVersion = osVersionIn(facts, windows?.version)
  if (osVersion !== undefined && windows?.version !== undefined && osVersion !== windows.version)
    contradict('version', osVersion, windows.version)
  for (const [subject, hive, xml] of [
    ['edition', facts.editionId, windows?.editionId],
    ['installation', facts.installationType, windows?.installationType],
  ] as const)
    if (hive !== undefined && xml !== undefined && hive.toLowerCase() !== xml.toLowerCase())
      contradict(subject, hive, xml)
  const isNano = [facts.installationType, facts.editionId].some((text) => /nano/i.test(text ?? ''))
  const saysKind = facts.installationType !== undefined || facts.editionId !== undefined
  const {osFeatures: _stated, ...platform} = {...stated, ...(osVersion === undefined ? {} : {osVersion})}
  const osFeatures = saysKind ? (isNano ? undefined : ['win32k']) : stated.osFeatures
  return {platform: {...platform, ...(osFeatures === undefined ? {} : {osFeatures})}, contradictions}
}

async function findFacts(opened: OpenedTree, onUnusable: (message: string) => void): Promise<OsFacts | undefined> {
  try {
    const bytes = await readHive(opened, [...CONFIG_FOLDER, CONFIG_FILES.Software])
    if (bytes === undefined) return undefined
    // What is looked for is a few values: a hive that its logs would mend tells them as well as another.
    return osFactsIn(new HiveFile(sourceOfBytes(bytes), {acceptDirty: true}).root)
  } catch (error) {
    if (!(error instanceof TransshipError) || !UNUSABLE.has(error.code)) throw error
    onUnusable(`The SOFTWARE hive does not identify the OS. ${error.message}`)
    return undefined
  }
}
