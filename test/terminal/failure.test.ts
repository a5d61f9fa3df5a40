import assert from 'node:assert/strict'
import {Errors} from '@oclif/core'
import {EnvironmentError, InputError} from '../../src/model/errors.js'
import {asFailure, documentFailure, formatFailure, interruption} from '../../src/terminal/failure.js'
import {assertSchema} from '../helpers/schemas.js'

const RUNNING = new AbortController().signal
const plain = {verbose: false, red: (text: string) => text}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: from the system`), {code})
}

describe('failures', () => {
  for (const {error, code, exit, note} of [
    {error: new InputError('DIGEST_MISMATCH', {what: 'x'}), code: 'DIGEST_MISMATCH', exit: 3, note: 'ours stay'},
    {error: new Errors.CLIError('bad flag', {exit: 2}), code: 'BAD_OPTION', exit: 2, note: "oclif's are usage"},
    {error: systemError('ENOSPC'), code: 'NO_SPACE', exit: 4, note: 'a full disk is the environment'},
    {error: systemError('ENOENT'), code: 'NOT_FOUND', exit: 3, note: 'a missing file is the input'},
    {error: new TypeError('x is undefined'), code: 'INTERNAL', exit: 70, note: 'anything else is our fault'},
    {error: 'a text', code: 'INTERNAL', exit: 70, note: 'even what is no error'},
  ]) {
    it(`turns what is thrown into ${code} with exit ${exit}: ${note}`, async () => {
      const failure = asFailure(error, RUNNING, 'convert')
      assert.deepEqual([failure.code, failure.exitCode], [code, exit])
      await assertSchema('error', documentFailure(failure))
    })
  }

  it('tells anything after an interrupt as the interrupt, with what it caused', () => {
    const abort = new AbortController()
    abort.abort(interruption())
    const failure = asFailure(new Error('stream closed'), abort.signal, 'convert')
    assert.deepEqual([failure.code, failure.exitCode], ['INTERRUPTED', 130])
    assert.equal(documentFailure(failure).error.cause?.message, 'stream closed')
  })

  it('says what, where, why, what to do and the code', () => {
    const failure = new InputError('DIGEST_MISMATCH', {
      what: 'Layer 2 is damaged.',
      why: 'Expected a, found b.',
      suggestions: ['Save it again.', 'Or do not.'],
      at: {reference: 'docker-archive:a.tar', path: 'layer 2', offset: 512},
    })
    assert.equal(
      formatFailure(failure, plain),
      [
        'Error: Layer 2 is damaged.',
        '  Where: docker-archive:a.tar, layer 2, offset 512',
        '  Why:   Expected a, found b.',
        '  Try:   Save it again.',
        '         Or do not.',
        '  Code:  DIGEST_MISMATCH',
        '',
      ].join('\n'),
    )
  })

  it('asks for a report of our own faults, with the trace', () => {
    const text = formatFailure(asFailure(new TypeError('x is undefined'), RUNNING, 'convert'), plain)
    assert.match(text, /Please report this/)
    assert.match(text, /TypeError: x is undefined\n +at /)
  })

  it('keeps the chain of causes in JSON, and cuts a circle', async () => {
    const inner = systemError('EIO')
    const failure = new EnvironmentError('IO_FAILED', {what: 'x', cause: new Error('middle', {cause: inner})})
    const {cause} = documentFailure(failure).error
    assert.deepEqual(cause, {
      name: 'Error',
      message: 'middle',
      cause: {name: 'Error', message: 'EIO: from the system', code: 'EIO'},
    })
    inner.cause = inner
    await assertSchema('error', documentFailure(failure))
  })

  it('lets no name from the input act on the terminal', () => {
    const failure = new InputError('NAME_UNSAFE', {what: 'Bad name \u001b[2J.', at: {path: 'a\nb'}})
    assert.match(formatFailure(failure, plain), /^Error: Bad name \\x1b\[2J\.\n {2}Where: a\\x0ab\n/)
  })
})
