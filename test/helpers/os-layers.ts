import {keyOf, valueOf, type HiveValue} from '../../src/codecs/registry-hive/hive-key.js'
import type {LayerEntry} from '../../src/model/layer-entry.js'
import {deltaOf, hiveOf, text} from './hives.js'
import {CONFIG, fileOf} from './layer-archives.js'

/** What a SOFTWARE hive says of its OS; null = the value is not there. */
export interface OsValues {
  readonly type?: string | null
  readonly edition?: string | null
  readonly product?: string | null
  readonly build?: string | null
  readonly revision?: number | null
  readonly lab?: string | null
}

const STRING = 1
const DWORD = 4

/** `Microsoft\Windows NT\CurrentVersion` below a root. */
export function softwareTree(values: OsValues) {
  const {type = null, edition = null, product = null, build = '17763', revision = 1, lab = null} = values
  const told: HiveValue[] = []
  for (const [name, value] of Object.entries({
    CurrentBuild: build,
    CurrentBuildNumber: build,
    EditionID: edition,
    InstallationType: type,
    ProductName: product,
    BuildLabEx: lab,
  }))
    if (value !== null) told.push(valueOf(name, STRING, text(value)))
  const number = Buffer.alloc(4)
  number.writeUInt32LE(revision ?? 0)
  if (revision !== null) told.push(valueOf('UBR', DWORD, number))
  const version = keyOf({name: 'CurrentVersion', values: told})
  const windows = keyOf({name: 'Windows NT', subkeys: [version]})
  return keyOf({name: 'ROOT', subkeys: [keyOf({name: 'Microsoft', subkeys: [windows]})]})
}

/** A whole OS of a few files, whose SOFTWARE hive says that; `mark` tells it from others that say the same. */
export function osLayer({mark, ...values}: OsValues & {readonly mark: string}): readonly LayerEntry[] {
  const empty = hiveOf(keyOf({name: 'ROOT'}))
  return [
    fileOf('Files/Windows/mark.txt', mark),
    fileOf(`${CONFIG}/SOFTWARE`, hiveOf(softwareTree(values))),
    fileOf(`${CONFIG}/SYSTEM`, empty),
    fileOf('Hives/Software_Base', hiveOf(softwareTree(values))),
    fileOf('Hives/System_Base', empty),
  ]
}

/** A layer of updates: a delta that raises what the hive says. */
export function servicingLayer(values: OsValues): readonly LayerEntry[] {
  return [fileOf('Files/Windows/update.txt', 'update'), fileOf('Hives/Software_Delta', deltaOf(softwareTree(values)))]
}
