import {findKey, type HiveKey} from '../../src/codecs/registry-hive/hive-key.js'
import {upcase} from '../../src/model/upcase.js'

/** A key as a container sees it; names upper-cased, values by name. */
export interface SeenKey {
  readonly className: string
  readonly security: string
  readonly lastWrite: bigint
  readonly values: Readonly<Record<string, string>>
  readonly subkeys: Readonly<Record<string, SeenKey>>
}

/**
 * Looks a key up through a stack, base first, as the running kernel does: node by node from the top. Knows nothing of
 * flattening or composing, which are held against it.
 */
export function seenInStack(stack: readonly HiveKey[], path: readonly string[] = []): SeenKey | undefined {
  const floor = visibleFloor(stack, path)
  const nodes = stack
    .slice(floor)
    .map((layer) => findKey(layer, path))
    .filter((key) => key !== undefined)
    .reverse()
  const [top] = nodes
  if (top === undefined || top.disposition === 'tombstone') return undefined
  const cut = nodes.findIndex((node) => node.disposition !== 'merge')
  const own = cut < 0 ? nodes : nodes.slice(0, nodes[cut]!.disposition === 'tombstone' ? cut : cut + 1)
  const values: Record<string, string> = {}
  const decided = new Set<string>()
  for (const node of own)
    for (const value of node.values()) {
      const name = upcase(value.name)
      if (!decided.has(name) && !value.isTombstone) {
        values[name] = `${value.name} ${value.type} ${Buffer.from(value.data).toString('hex')}`
      }
      decided.add(name)
    }
  const subkeys: Record<string, SeenKey> = {}
  for (const node of nodes)
    for (const {name} of node.subkeys()) {
      const seen = upcase(name) in subkeys ? undefined : seenInStack(stack, [...path, name])
      if (seen !== undefined) subkeys[upcase(name)] = seen
    }
  return {
    className: hexOf(own.find((node) => !node.inheritsClass)?.className),
    security: hexOf(top.security),
    lastWrite: own.reduce((latest, node) => (node.lastWrite > latest ? node.lastWrite : latest), -1n),
    values,
    subkeys,
  }
}

/** Layers below this one cannot be seen at the path: a key on the way is deleted or replaced with all it holds. */
function visibleFloor(stack: readonly HiveKey[], path: readonly string[]): number {
  let floor = 0
  for (let length = 0; length <= path.length; length++)
    for (const [index, layer] of stack.entries()) {
      const disposition = findKey(layer, path.slice(0, length))?.disposition
      if (disposition === 'tombstone' || disposition === 'supersede-tree') floor = Math.max(floor, index)
    }
  return floor
}

function hexOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex')
}
