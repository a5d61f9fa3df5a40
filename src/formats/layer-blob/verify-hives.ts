import {MAX_HIVE_BYTES, openHive} from '../../codecs/registry-hive/open-hive.js'
import {contentOf} from '../../model/content.js'
import {TransshipError} from '../../model/errors.js'
import {readHeld} from '../../model/held-file.js'
import {findHiveRole, type HiveRole} from '../../model/hive-role.js'
import type {FileEntry, LayerEntry} from '../../model/layer-entry.js'
import type {Fault} from '../../model/transport.js'

/**
 * Passes the entries of a layer on, and checks each registry hive among them from end to end. When the last one has
 * passed, `report` gets a fault for each hive that is damaged (`HIVE_CORRUPT`), was not written to its end and cannot be
 * mended by the logs beside it (`HIVE_DIRTY`), or is beyond a limit; the message tells the offset. Holds one hive at a
 * time, and longer only those that need their logs.
 */
export async function* checkingHives(
  entries: AsyncIterable<LayerEntry>,
  report: (fault: Fault) => void,
): AsyncGenerator<LayerEntry> {
  const check = new HiveCheck()
  for await (const entry of entries) yield entry.kind === 'file' ? await check.pass(entry) : entry
  for (const fault of check.faults()) report(fault)
}

interface FoundHive {
  readonly role: HiveRole
  readonly path: string
  readonly bytes: Uint8Array
}

class HiveCheck {
  /** `name:form` -> the fault of a hive that is whole without its logs or not at all. */
  readonly #found: {readonly role: HiveRole; readonly fault: Fault}[] = []
  /** `name:form` -> a hive that needs its logs. */
  readonly #dirty = new Map<string, FoundHive>()
  readonly #logs = new Map<string, Uint8Array[]>()
  /** Hives that need no logs. */
  readonly #settled = new Set<string>()
  #isDelta = false

  /** The entry, with its content read if it is a hive or a log of one. */
  async pass(entry: FileEntry): Promise<FileEntry> {
    const role = findHiveRole(entry.path)
    const {content} = entry
    if (role === undefined || role.part === 'transactions' || content === undefined) return entry
    if (role.part === 'hive' && role.form === 'delta') this.#isDelta = true
    const key = `${role.name}:${role.form}`
    // Some tools write a hive of no bytes for none.
    if (content.size === 0 || (role.part === 'log' && this.#settled.has(key))) return entry
    if (content.size > MAX_HIVE_BYTES) {
      const message = `It has ${content.size} bytes and was not checked: the limit for hives is ${MAX_HIVE_BYTES} bytes.`
      this.#found.push({role, fault: {code: 'LIMIT_EXCEEDED', message, subject: entry.path}})
      return entry
    }
    const bytes = await readHeld(entry, MAX_HIVE_BYTES)
    if (role.part === 'log') this.#logs.set(key, [...(this.#logs.get(key) ?? []), bytes])
    else this.#check(key, {role, path: entry.path, bytes})
    const {ranges} = content
    return {...entry, content: {...contentOf(bytes), ...(ranges === undefined ? {} : {ranges})}}
  }

  #check(key: string, hive: FoundHive): void {
    const fault = faultOf(hive, this.#logs.get(key) ?? [])
    if (fault?.code === 'HIVE_DIRTY') {
      this.#dirty.set(key, hive)
      return
    }
    this.#settled.add(key)
    this.#logs.delete(key)
    if (fault !== undefined) this.#found.push({role: hive.role, fault})
  }

  /** Of what a container loads: among the files of a delta, a hive of the OS is a file like any other. */
  *faults(): Generator<Fault> {
    for (const [key, hive] of this.#dirty) {
      const fault = faultOf(hive, this.#logs.get(key) ?? [])
      if (fault !== undefined) this.#found.push({role: hive.role, fault})
    }
    for (const {role, fault} of this.#found) if (role.form !== 'config' || !this.#isDelta) yield fault
  }
}

function faultOf({role, path: subject, bytes}: FoundHive, logs: readonly Uint8Array[]): Fault | undefined {
  try {
    openHive(bytes, {subject, logs, isDelta: role.form === 'delta'})
    return undefined
  } catch (error) {
    if (!(error instanceof TransshipError)) throw error
    return {code: error.code, message: error.message, subject}
  }
}
