/**
 * Windows registry hives as bytes: read, compare, compose and write them, base or delta.
 *
 * ```ts
 * import {readFile} from 'node:fs/promises'
 * import {findKey, openHive} from 'transship/codecs/registry-hive'
 *
 * const hive = openHive(await readFile('SYSTEM'), {subject: 'SYSTEM'})
 * const services = findKey(hive.root, ['ControlSet001', 'Services'])
 * for (const service of services?.subkeys() ?? []) console.log(service.name)
 * ```
 */
export {openHive, type OpenHiveOptions} from '../codecs/registry-hive/open-hive.js'
export {HiveFile, type HiveOptions, type HiveRemark} from '../codecs/registry-hive/hive-file.js'
export {sourceOfBytes, type HiveSource} from '../codecs/registry-hive/hive-source.js'
export {
  findKey,
  findSubkey,
  keyOf,
  valueOf,
  valueTombstone,
  type HiveKey,
  type HiveValue,
  type KeyDisposition,
  type KeyDraft,
} from '../codecs/registry-hive/hive-key.js'
export {encodeHive, type EncodeOptions} from '../codecs/registry-hive/encode-hive.js'
export {replayLogs, type ReplayedHive, type ReplayOptions} from '../codecs/registry-hive/replay-logs.js'
export {compose, flatten, type LayeringOptions} from '../codecs/registry-hive/layered-keys.js'
export {diff} from '../codecs/registry-hive/diff-hives.js'
export {regLines, REG_HEADER, type RegTextOptions} from '../codecs/registry-hive/reg-text.js'
