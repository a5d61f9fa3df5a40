import type {Image} from '../model/image.js'
import {formatFullName} from '../model/package-identity.js'
import {readSizeOf} from './metered.js'
import type {PlanStep, StepOutcome} from './plan.js'
import type {ImagePlan} from './to-image.js'
import type {PackagesPlan} from './to-packages.js'

export type AnyPlan =
  {readonly kind: 'packages'; readonly plan: PackagesPlan} | {readonly kind: 'image'; readonly plan: ImagePlan}

/** The steps of a plan; `outcomes`: of each, as far as it is known. */
export function stepsOf(
  planned: AnyPlan,
  image: Image,
  outcomes: readonly (StepOutcome | undefined)[],
): readonly PlanStep[] {
  const known = (layers: readonly number[], index: number) => {
    const sizes = layers.map((layer) => {
      const source = image.layers[layer]
      return source === undefined ? undefined : readSizeOf(source)
    })
    const diffIds = layers.flatMap((layer) => image.layers[layer]?.diffId ?? [])
    const outcome = outcomes[index]
    return {
      ...(sizes.every((size) => size !== undefined) ? {bytes: sizes.reduce((sum, size) => sum + size, 0)} : {}),
      ...(layers.length > 0 && diffIds.length === layers.length ? {diffIds} : {}),
      ...(outcome === undefined ? {} : {outcome}),
    }
  }
  if (planned.kind === 'packages') {
    return planned.plan.packages.map(({draft, layers, role}, index) => ({
      kind: 'package',
      title: formatFullName(draft.metadata.identity),
      layers,
      role,
      dependencies: draft.metadata.dependencies.map(formatFullName),
      ...known(layers, index),
    }))
  }
  const layers = planned.plan.layers.flat()
  return [{kind: 'image', title: planned.plan.draft.names.join(' '), layers, ...known(layers, 0)}]
}
