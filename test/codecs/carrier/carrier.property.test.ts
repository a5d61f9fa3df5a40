import assert from 'node:assert/strict'
import fc from 'fast-check'
import type {CarrierKind} from '../../../src/codecs/carrier/carrier.js'
import {decodeCarrier} from '../../../src/codecs/carrier/decode-carrier.js'
import {canonicalExtendedAttributes} from '../../../src/codecs/extended-attributes/extended-attributes.js'
import {encodeReparsePoint, findExactLink, findLink} from '../../../src/codecs/reparse-point/encode-reparse-point.js'
import {TransshipError} from '../../../src/model/errors.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {assembleCarrier, contentBytes} from '../../helpers/carriers.js'
import {oddCarrier as carrier} from '../../helpers/odd-carriers.js'

/** What is left of a decoded carrier after it went through a tar: see section 5 of the transport layout page. */
function throughTar(decoded: ReturnType<typeof decodeCarrier>, kind: CarrierKind) {
  const {frame: _frame, data: _data, extendedAttributes, reparsePoint, ...rest} = decoded
  const link = reparsePoint === undefined ? undefined : findLink(reparsePoint)
  const kept = (extendedAttributes ?? []).filter(({name}) => !name.includes('='))
  return {
    link,
    decoded: {
      ...rest,
      ...(kept.length === 0 ? {} : {extendedAttributes: canonicalExtendedAttributes(kept)}),
      ...(link === undefined || link.target === '' ? {} : {reparsePoint: encodeReparsePoint(link)}),
    },
    hasBody: kind === 'file' && link === undefined,
  }
}

describe('any carrier', () => {
  it('comes back byte for byte from its entry and frame', () => {
    fc.assert(
      fc.property(carrier, fc.constantFrom('file' as const, 'directory' as const), (original, kind) => {
        const decoded = decodeCarrier(original, kind)
        const content = decoded.data === undefined ? undefined : contentBytes(original, decoded.data)
        const streams = decoded.streams.map(({name, location}) => ({name, bytes: contentBytes(original, location)}))
        assert.deepEqual(assembleCarrier(kind, decoded, content, streams, decoded.frame), original)
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('comes back byte for byte after the entry went through a tar', () => {
    fc.assert(
      fc.property(carrier, fc.constantFrom('file' as const, 'directory' as const), (original, kind) => {
        const decoded = decodeCarrier(original, kind)
        const tar = throughTar(decoded, kind)
        const content = decoded.data === undefined ? new Uint8Array() : contentBytes(original, decoded.data)
        const streams = decoded.streams.map(({name, location}) => ({name, bytes: contentBytes(original, location)}))
        const back = assembleCarrier(kind, tar.decoded, tar.hasBody ? content : undefined, streams, decoded.frame)
        assert.deepEqual(back, original)
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('has a frame whenever a tar alone would not bring its reparse point back', () => {
    fc.assert(
      fc.property(carrier, (original) => {
        const decoded = decodeCarrier(original, 'file')
        if (decoded.reparsePoint !== undefined && findExactLink(decoded.reparsePoint) === undefined)
          assert.ok(decoded.frame !== undefined)
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('is refused or read, never worse, when cut at any length', () => {
    fc.assert(
      fc.property(carrier, (original) => {
        for (let length = 0; length < original.byteLength; length++) {
          try {
            decodeCarrier(original.subarray(0, length), 'file')
          } catch (error) {
            assert.ok(error instanceof TransshipError, String(error))
          }
        }
      }),
      {numRuns: Math.ceil(FUZZ_RUNS / 20)},
    )
  })

  it('is refused or read back exactly when any bit is flipped', () => {
    fc.assert(
      fc.property(carrier, fc.nat(), fc.nat(7), (original, where, bit) => {
        const changed = Buffer.from(original)
        changed[where % changed.byteLength]! ^= 1 << bit
        let decoded
        try {
          decoded = decodeCarrier(changed, 'file')
        } catch (error) {
          assert.ok(error instanceof TransshipError, String(error))
          return
        }
        if ((decoded.data?.sizeBytes ?? 0) > 2 ** 20) return
        if (decoded.streams.some(({location}) => location.sizeBytes > 2 ** 20)) return
        const content = decoded.data === undefined ? undefined : contentBytes(changed, decoded.data)
        const streams = decoded.streams.map(({name, location}) => ({name, bytes: contentBytes(changed, location)}))
        assert.deepEqual(assembleCarrier('file', decoded, content, streams, decoded.frame), changed)
      }),
      {numRuns: FUZZ_RUNS * 2},
    )
  })
})
