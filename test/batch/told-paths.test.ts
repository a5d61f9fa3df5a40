import assert from 'node:assert/strict'
import {toldHere} from '../../src/batch/queue/told-paths.js'

describe('what a worker tells, with the paths of this machine', () => {
  const there = {folder: '/mnt/share/plans', root: '/mnt/share', unit: {source: 'oci:in', destination: 'oci:out/a'}}
  const here = {folder: 'plans', root: '/data', unit: {source: 'oci:/data/plans/in', destination: 'oci:out/a'}}
  for (const {told, expected, note} of [
    {told: 'oci:/mnt/share/plans/out/a:1.0', expected: 'oci:plans/out/a:1.0', note: 'below the folder'},
    {told: 'oci:/mnt/share/plans/in:1.0', expected: 'oci:/data/plans/in:1.0', note: 'as the plan spells it'},
    {told: "'/mnt/share/base.tar' is bad.", expected: "'/data/base.tar' is bad.", note: 'below the root'},
    {told: 'No room in /mnt/share.', expected: 'No room in /data.', note: 'at the end of a sentence'},
    {told: '/mnt/share/plans', expected: 'plans', note: 'the folder itself'},
    {told: '/mnt/share2/plans/x', expected: '/mnt/share2/plans/x', note: 'another folder that begins so'},
    {told: '/mnt/share.old', expected: '/mnt/share.old', note: 'another again'},
    {told: '/a/mnt/share/x', expected: '/a/mnt/share/x', note: 'the end of another path'},
    {told: 'Files/plans/x', expected: 'Files/plans/x', note: 'a path in a layer'},
  ])
    it(`names ${told}: ${note}`, () => {
      assert.deepEqual(toldHere({a: [told, 1, null]}, there, here), {a: [expected, 1, null]})
    })

  it('leaves a plan alone that lies at the top of a file system', () => {
    const top = {...there, folder: '/', root: '/'}
    assert.equal(toldHere('/etc/x: Not / there', top, here), '/etc/x: Not / there')
  })

  it('turns the paths of Windows round', () => {
    const windows = {...there, folder: 'C:\\share\\plans', root: 'C:\\share'}
    assert.equal(toldHere('inbox:C:\\share\\plans\\made\\x:CN=a_b_1', windows, here), 'inbox:plans/made/x:CN=a_b_1')
    assert.equal(toldHere('C:\\share\\other\\x.tar', windows, here), '/data/other/x.tar')
  })
})
