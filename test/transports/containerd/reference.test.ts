import assert from 'node:assert/strict'
import fc from 'fast-check'
import {TransshipError} from '../../../src/index.js'
import {formatLocation, parseLocation, readingsOf, referenceTo} from '../../../src/transports/containerd/reference.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'

const DIGEST = `sha256:${'ab'.repeat(32)}`
const KNOWN = {namespaces: ['default', 'prod', 'moby'], usual: 'default'}

describe('references to containerd', () => {
  for (const {text, path, selector, note} of [
    {text: '', path: '', selector: undefined, note: 'every image of every namespace'},
    {text: 'k8s.io/', path: 'k8s.io/', selector: undefined, note: 'every image of one namespace'},
    {text: 'app', path: 'app', selector: undefined, note: 'a name alone'},
    {text: 'app:1', path: 'app', selector: '1', note: 'a tag'},
    {text: 'host:5000/app', path: 'host:5000/app', selector: undefined, note: 'a port is not a tag'},
    {text: 'prod/host:5000/app:1', path: 'prod/host:5000/app', selector: '1', note: 'a namespace in front of a host'},
    {text: `a/b@${DIGEST}`, path: 'a/b', selector: `@${DIGEST}`, note: 'a digest'},
    {text: `a/b:1@${DIGEST}`, path: 'a/b', selector: `1@${DIGEST}`, note: 'a tag and a digest'},
    {text: DIGEST, path: 'sha256', selector: 'ab'.repeat(32), note: 'the id under which Kubernetes keeps an image'},
    {text: `import-2026-11-26@${DIGEST}`, path: 'import-2026-11-26', selector: `@${DIGEST}`, note: 'as ctr names it'},
    {text: 'Short:1', path: 'Short', selector: '1', note: 'the store takes any name'},
  ]) {
    it(`parses '${text}': ${note}`, () => {
      const parsed = parseLocation(text)
      assert.deepEqual([parsed.path, parsed.selector], [path, selector])
      assert.equal(formatLocation(parsed), `containerd:${text}`)
    })
  }

  for (const {text, note} of [
    {text: '/app:1', note: 'no namespace in front of the slash'},
    {text: 'na me/', note: 'a namespace with a blank'},
    {text: 'a..b/', note: 'a namespace with two dots'},
    {text: 'app:', note: 'an empty tag'},
    {text: 'app@sha256:12', note: 'half a digest'},
    {text: '@sha256:12', note: 'nothing but half a digest'},
    {text: `@${DIGEST}`, note: 'a digest of nothing'},
    {text: 'a\nb', note: 'a line break'},
  ]) {
    it(`refuses '${text}': ${note}`, () => {
      assert.throws(
        () => parseLocation(text),
        (error) => error instanceof TransshipError && error.code === 'BAD_REFERENCE' && error.suggestions.length > 0,
      )
    })
  }

  for (const {text, reading, note} of [
    {text: 'app:1', reading: ['default app:1'], note: 'the usual namespace'},
    {text: 'k8s.io/app:1', reading: ['k8s.io app:1', 'default k8s.io/app:1'], note: 'a namespace that is known'},
    {text: 'prod/app:1', reading: ['prod app:1', 'default prod/app:1'], note: 'a namespace that is there'},
    {text: 'prod/docker.io/library/app:1', reading: ['prod docker.io/library/app:1'], note: 'nothing else is possible'},
    {text: 'new/docker.io/library/app:1', reading: ['new docker.io/library/app:1'], note: 'also one that is not there'},
    {text: 'new/app:1', reading: ['default new/app:1'], note: 'a name of two parts'},
    {text: 'docker.io/prod/app:1', reading: ['default docker.io/prod/app:1'], note: 'a host in front'},
    {text: 'mcr.example/team.one/app', reading: ['default mcr.example/team.one/app'], note: 'a dot in the path'},
    {text: 'host:5000/app:1', reading: ['default host:5000/app:1'], note: 'a port in front'},
    {text: 'prod/', reading: ['prod *'], note: 'the whole namespace'},
    {text: '', reading: [], note: 'all namespaces'},
  ]) {
    it(`reads '${text}': ${note}`, () => {
      const readings = readingsOf(parseLocation(text), KNOWN)
      assert.deepEqual(
        readings.map(({namespace, name = '*'}) => `${namespace} ${name}`),
        reading,
      )
    })
  }

  it('parses what it formats, and reads it in one way alone', () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,8}$/)
    const host = fc.constantFrom('docker.io', 'localhost:5000', 'mcr.example')
    const record = fc.tuple(host, part, part, part).map(([at, team, name, tag]) => `${at}/${team}/${name}:${tag}`)
    fc.assert(
      fc.property(part, record, (namespace, name) => {
        const reference = referenceTo(namespace, name)
        assert.deepEqual(parseLocation(formatLocation(reference).slice('containerd:'.length)), reference)
        assert.deepEqual(readingsOf(reference, KNOWN), [{namespace, name}])
      }),
      {numRuns: FUZZ_RUNS},
    )
  })
})
