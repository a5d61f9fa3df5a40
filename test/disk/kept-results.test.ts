import assert from 'node:assert/strict'
import {KeptResults} from '../../src/disk/kept-results.js'

describe('results that are kept', () => {
  it('are worked out once for each subject', async () => {
    const results = new KeptResults<number>()
    const [one, other] = [{}, {}]
    let worked = 0
    const work = () => Promise.resolve(++worked)
    assert.deepEqual(await Promise.all([results.of(one, work), results.of(one, work)]), [1, 1])
    assert.equal(await results.of(one, work), 1)
    assert.equal(await results.of(other, work), 2)
  })

  it('are none where the work failed: who waited tries for himself', async () => {
    const results = new KeptResults<string>()
    const subject = {}
    const failing = results.of(subject, () => Promise.reject(new Error('interrupted')))
    const waiting = results.of(subject, () => Promise.resolve('done'))
    await assert.rejects(failing, /interrupted/)
    assert.equal(await waiting, 'done')
    assert.equal(await results.of(subject, () => assert.fail('again')), 'done')
  })
})
