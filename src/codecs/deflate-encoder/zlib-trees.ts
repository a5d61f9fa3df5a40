import {MAX_CODE_BITS, type HuffmanCode} from './huffman-code.js'

/** Leaves of the largest alphabet, with the codes 286 and 287 that no data has. */
const MAX_LEAVES = 288
const HEAP_SIZE = 2 * MAX_LEAVES + 1

const weights = new Int32Array(HEAP_SIZE)
const depths = new Uint8Array(HEAP_SIZE)
const parents = new Int32Array(HEAP_SIZE)
const nodeLengths = new Uint8Array(HEAP_SIZE)
const heap = new Int32Array(HEAP_SIZE)

/**
 * The code that zlib and GNU gzip make of frequencies: a heap of subtrees, of equal weight the shallower first; codes that
 * get too long are shortened afterwards. An alphabet with fewer than two symbols in use gets two. Gives the highest symbol
 * with a code. Source: zlib trees.c, build_tree and gen_bitlen.
 */
export function buildTree(code: HuffmanCode, frequencies: Int32Array, maxBits: number): number {
  const leaves = code.lengths.length
  code.lengths.fill(0)
  code.bits.fill(0)
  let size = 0
  let top = HEAP_SIZE
  let highest = -1
  for (let symbol = 0; symbol < leaves; symbol++) {
    const weight = frequencies[symbol] ?? 0
    if (weight === 0) continue
    weights[symbol] = weight
    highest = symbol
    heap[++size] = symbol
    depths[symbol] = 0
  }
  while (size < 2) {
    const symbol = highest < 2 ? ++highest : 0
    heap[++size] = symbol
    weights[symbol] = 1
    depths[symbol] = 0
  }
  for (let place = size >> 1; place >= 1; place--) sink(place, size)
  let node = leaves
  do {
    const lightest = first()
    heap[1] = heap[size] ?? 0
    size -= 1
    sink(1, size)
    const second = first()
    heap[--top] = lightest
    heap[--top] = second
    weights[node] = (weights[lightest] ?? 0) + (weights[second] ?? 0)
    depths[node] = Math.max(depths[lightest] ?? 0, depths[second] ?? 0) + 1
    parents[lightest] = node
    parents[second] = node
    heap[1] = node
    node += 1
    sink(1, size)
  } while (size >= 2)
  heap[--top] = first()
  limitLengths(code, {top, highest, maxBits})
  code.assign()
  return highest
}

/** The lightest node. */
function first(): number {
  return heap[1] ?? 0
}

function sink(from: number, size: number): void {
  let place = from
  const moved = heap[place] ?? 0
  for (let child = place << 1; child <= size; child = place << 1) {
    if (child < size && isSmaller(heap[child + 1] ?? 0, heap[child] ?? 0)) child += 1
    if (isSmaller(moved, heap[child] ?? 0)) break
    heap[place] = heap[child] ?? 0
    place = child
  }
  heap[place] = moved
}

function isSmaller(left: number, right: number): boolean {
  const leftWeight = weights[left] ?? 0
  const rightWeight = weights[right] ?? 0
  return leftWeight < rightWeight || (leftWeight === rightWeight && (depths[left] ?? 0) <= (depths[right] ?? 0))
}

/** Lengths from the tree, none longer than the limit. */
function limitLengths(
  code: HuffmanCode,
  {top, highest, maxBits}: {readonly top: number; readonly highest: number; readonly maxBits: number},
): void {
  const counts = new Uint16Array(MAX_CODE_BITS + 1)
  nodeLengths[heap[top] ?? 0] = 0
  let overflow = 0
  for (let place = top + 1; place < HEAP_SIZE; place++) {
    const node = heap[place] ?? 0
    let bits = (nodeLengths[parents[node] ?? 0] ?? 0) + 1
    if (bits > maxBits) {
      bits = maxBits
      overflow += 1
    }
    nodeLengths[node] = bits
    if (node > highest) continue
    counts[bits] = (counts[bits] ?? 0) + 1
    code.lengths[node] = bits
  }
  if (overflow === 0) return
  do {
    let bits = maxBits - 1
    while (counts[bits] === 0) bits -= 1
    counts[bits] = (counts[bits] ?? 0) - 1
    counts[bits + 1] = (counts[bits + 1] ?? 0) + 2
    counts[maxBits] = (counts[maxBits] ?? 0) - 1
    overflow -= 2
  } while (overflow > 0)
  let place = HEAP_SIZE
  for (let bits = maxBits; bits > 0; bits--) {
    for (let left = counts[bits] ?? 0; left > 0;) {
      const node = heap[--place] ?? 0
      if (node > highest) continue
      code.lengths[node] = bits
      left -= 1
    }
  }
}
