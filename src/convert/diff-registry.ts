import type {HiveKey, HiveValue} from '../codecs/registry-hive/hive-key.js'
import {pairsOf} from '../codecs/registry-hive/layered-keys.js'
import {formatValueType, findReadable} from '../codecs/registry-hive/value-text.js'
import {HIVE_NAMES, type HiveName} from '../model/layer-path.js'
import {MOUNT_POINTS} from '../model/hive-role.js'
import {upcase} from '../model/upcase.js'

/** One side of a value. */
export interface ValueSide {
  /** `REG_SZ` …; absent for the deletion that a delta holds. */
  readonly type?: string
  readonly size?: number
  /** The data in words, where it is what its type says and not of SAM or SECURITY. */
  readonly text?: string
}

/** A key or value that is not the same on both sides. */
export interface RegistryDifference {
  /** Full name of the key, `\` between names. */
  readonly path: string
  /** Name of the value, empty for the default one; absent when it is the key that differs. */
  readonly value?: string
  /** `added` = only on the right, with all it holds; `removed` = only on the left. */
  readonly change: 'added' | 'removed' | 'changed'
  /** What differs. */
  readonly fields?: readonly string[]
  readonly left?: ValueSide
  readonly right?: ValueSide
}

export interface RegistryDiffOptions {
  /** Times of keys are not compared. */
  readonly ignoreTimes?: boolean
}

type Hives = ReadonlyMap<HiveName, HiveKey>

/**
 * The keys and values in which two registries differ, in their order. The order of values is not compared, nor are name
 * and flags of the root of a hive, which a container never sees.
 */
export function* diffRegistries(
  left: Hives,
  right: Hives,
  options: RegistryDiffOptions,
): Generator<RegistryDifference> {
  for (const name of HIVE_NAMES) {
    const isSecret = name === 'Sam' || name === 'Security'
    const path = MOUNT_POINTS[name].join('\\')
    yield* new HiveDiff(isSecret, options).keys(left.get(name), right.get(name), path)
  }
}

function isEqual(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  if (left === undefined || right === undefined) return left === right
  return left === right || Buffer.compare(left, right) === 0
}

class HiveDiff {
  readonly #isSecret: boolean
  readonly #options: RegistryDiffOptions

  constructor(isSecret: boolean, options: RegistryDiffOptions) {
    this.#isSecret = isSecret
    this.#options = options
  }

  *keys(
    left: HiveKey | undefined,
    right: HiveKey | undefined,
    path: string,
    isRoot = true,
  ): Generator<RegistryDifference> {
    if (left === undefined || right === undefined) {
      if (left !== right) yield {path, change: left === undefined ? 'added' : 'removed'}
      return
    }
    const fields = this.#fields(left, right, isRoot)
    if (fields.length > 0) yield {path, change: 'changed', fields}
    yield* this.#values(left, right, path)
    for (const [low, high] of pairsOf(left.streamSubkeys(), right.streamSubkeys())) {
      yield* this.keys(low, high, `${path}\\${(low ?? high)?.name ?? ''}`, false)
    }
  }

  #fields(left: HiveKey, right: HiveKey, isRoot: boolean): string[] {
    const same: Readonly<Record<string, boolean>> = {
      name: isRoot || left.name === right.name,
      flags: isRoot || left.flags === right.flags,
      lastWrite: this.#options.ignoreTimes === true || left.lastWrite === right.lastWrite,
      className: left.inheritsClass === right.inheritsClass && isEqual(left.className, right.className),
      securityDescriptor: isEqual(left.security, right.security),
      controlFlags: left.controlFlags === right.controlFlags,
      predefinedHandle: left.predefinedHandle === right.predefinedHandle,
      change: left.disposition === right.disposition,
    }
    return Object.keys(same).filter((field) => same[field] === false)
  }

  *#values(left: HiveKey, right: HiveKey, path: string): Generator<RegistryDifference> {
    const others = new Map(right.values().map((value) => [upcase(value.name), value]))
    for (const value of left.values()) {
      const other = others.get(upcase(value.name))
      others.delete(upcase(value.name))
      if (other === undefined) {
        yield {path, value: value.name, change: 'removed', left: this.#side(value)}
        continue
      }
      const fields = [
        ...(value.name === other.name ? [] : ['name']),
        ...(value.type === other.type && value.isTombstone === other.isTombstone ? [] : ['type']),
        ...(isEqual(value.data, other.data) ? [] : ['data']),
      ]
      if (fields.length === 0) continue
      yield {path, value: value.name, change: 'changed', fields, left: this.#side(value), right: this.#side(other)}
    }
    for (const value of others.values()) {
      yield {path, value: value.name, change: 'added', right: this.#side(value)}
    }
  }

  #side(value: HiveValue): ValueSide {
    if (value.isTombstone) return {}
    const text = this.#isSecret ? undefined : findReadable(value)
    const side = {type: formatValueType(value.type), size: value.data.byteLength}
    return text === undefined ? side : {...side, text}
  }
}
