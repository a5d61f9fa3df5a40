import assert from 'node:assert/strict'
import {decodeTaskMetrics} from '../../src/engine-api/containerd/services.js'

const V1 = 'types.containerd.io/io.containerd.cgroups.v1.Metrics'
const V2 = 'io.containerd.cgroups.v2.Metrics'
// Field 2 of v2 is CpuStat, whose field 1 is usage_usec: 3,000,000; field 4 is MemoryStat, whose field 32 is usage: 5.
const CPU = Buffer.of(0x12, 0x04, 0x08, 0xc0, 0x8d, 0xb7)
const SOUND = Buffer.concat([
  Buffer.of(0x12, 0x05, 0x08, 0xc0, 0x8d, 0xb7, 0x01),
  Buffer.of(0x22, 0x03, 0x80, 0x02, 0x05),
])

describe('metrics of a task', () => {
  it('give processor time and memory', () => {
    assert.deepEqual(decodeTaskMetrics({id: 'x', data: {typeUrl: V2, value: SOUND}}), {memoryBytes: 5, cpuSeconds: 3})
  })

  for (const {title, data} of [
    {title: 'no data', data: null},
    {title: 'another kind', data: {typeUrl: 'io.containerd.other.Metrics', value: SOUND}},
    {title: 'a number that is cut', data: {typeUrl: V2, value: CPU}},
    {title: 'a length beyond the end', data: {typeUrl: V2, value: Buffer.of(0x12, 0x7f)}},
    {title: 'an unknown kind of field', data: {typeUrl: V1, value: Buffer.of(0x0f)}},
    {title: 'noise', data: {typeUrl: V1, value: Buffer.alloc(40, 0xff)}},
  ])
    it(`give nothing, and end nothing: ${title}`, () => {
      assert.deepEqual(decodeTaskMetrics({id: 'x', data}), {})
    })
})
