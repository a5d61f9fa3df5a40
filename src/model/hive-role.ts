import {findHive, foldPath, HIVE_NAMES, type HiveName, type LayerPath} from './layer-path.js'

/** Files of the OS that the hives of a base layer are. Source: hcsshim internal/wclayer/cim/common.go. */
export const CONFIG_FILES: Readonly<Record<HiveName, string>> = {
  DefaultUser: 'DEFAULT',
  Sam: 'SAM',
  Security: 'SECURITY',
  Software: 'SOFTWARE',
  System: 'SYSTEM',
}

/** Where a running container shows each hive. Source: section 3.4 of the registry hive format page. */
export const MOUNT_POINTS: Readonly<Record<HiveName, readonly string[]>> = {
  DefaultUser: ['HKEY_USERS', '.DEFAULT'],
  Sam: ['HKEY_LOCAL_MACHINE', 'SAM'],
  Security: ['HKEY_LOCAL_MACHINE', 'SECURITY'],
  Software: ['HKEY_LOCAL_MACHINE', 'SOFTWARE'],
  System: ['HKEY_LOCAL_MACHINE', 'SYSTEM'],
}

/** `config`: a whole hive among the OS's files. `base` and `delta`: a hive of the layer itself. */
export type HiveForm = 'config' | 'base' | 'delta'

/**
 * What a file is to a hive: the hive, one of its logs (`log`), or a log of transactions (`transactions`), which only
 * means something to the very file it lies beside.
 */
export interface HiveRole {
  readonly name: HiveName
  readonly form: HiveForm
  readonly part: 'hive' | 'log' | 'transactions'
}

const CONFIG_FOLDER = 'FILES/WINDOWS/SYSTEM32/CONFIG/'
const LOG = /^(.*)\.LOG[12]?$/
/** Of the name alone, and only of one that NTFS can hold: a longer one may have the beginning of a match at each place. */
const MAX_NAME = 255
const TRANSACTIONS = /\{[^{}]*\}\.(?:TM\.BLF|TM.*\.REGTRANS-MS|TXR.*)$/

/** The role of a file of a layer; undefined for files that have none. */
export function findHiveRole(path: LayerPath): HiveRole | undefined {
  const folded = foldPath(path)
  const log = LOG.exec(folded)?.[1]
  const nameAt = folded.lastIndexOf('/') + 1
  const name = folded.slice(nameAt)
  const guid = name.length > MAX_NAME ? undefined : TRANSACTIONS.exec(name)?.index
  const transactions = guid === undefined ? undefined : folded.slice(0, nameAt + guid)
  const part = log !== undefined ? 'log' : transactions !== undefined ? 'transactions' : 'hive'
  const hive = log ?? transactions ?? folded
  if (hive.startsWith(CONFIG_FOLDER)) {
    const file = hive.slice(CONFIG_FOLDER.length)
    const hiveName = HIVE_NAMES.find((known) => CONFIG_FILES[known] === file)
    return hiveName === undefined ? undefined : {name: hiveName, form: 'config', part}
  }
  const known = findHive(hive as LayerPath)
  return known === undefined ? undefined : {...known, part}
}
