import {closeSync, fstatSync} from 'node:fs'
import {fillBuffer} from './fill-buffer.js'
import type {OpenedFile} from './safe-open.js'

const CHUNK_BYTES = 256 * 1024

/** True when two files hold the same bytes. Closes both. */
export function areSameBytes({fd: a}: OpenedFile, openOther: () => OpenedFile): boolean {
  try {
    const {fd: b} = openOther()
    try {
      return isSameFile(a, b) || haveSameBytes(a, b)
    } finally {
      closeSync(b)
    }
  } finally {
    closeSync(a)
  }
}

function isSameFile(a: number, b: number): boolean {
  const left = fstatSync(a, {bigint: true})
  const right = fstatSync(b, {bigint: true})
  return left.dev === right.dev && left.ino === right.ino
}

function haveSameBytes(a: number, b: number): boolean {
  if (fstatSync(a).size !== fstatSync(b).size) return false
  const left = Buffer.allocUnsafe(CHUNK_BYTES)
  const right = Buffer.allocUnsafe(CHUNK_BYTES)
  for (let position = 0; ;) {
    const count = fillBuffer(a, left, position)
    if (fillBuffer(b, right, position) !== count || left.compare(right, 0, count, 0, count) !== 0) return false
    if (count < CHUNK_BYTES) return true
    position += count
  }
}
