/** One layer whose content the layer at hand builds on. */
export interface ParentLayer {
  /** GUID, as Windows derives it from the folder's name: `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. */
  readonly id: string
  /** Absolute. */
  readonly path: string
}

/** Windows' own way between runtime layouts and transport layouts. Every call gives the unsigned HRESULT. */
export interface LayerService {
  /** DLL it is reached through. */
  readonly library: string
  /** `folder` is there and empty; `isWritable`: the layer is a container's own, not one of an image. */
  exportLayer(layer: string, folder: string, parents: readonly ParentLayer[], isWritable: boolean): Promise<number>
  /** Makes the folder `layer`. */
  importLayer(layer: string, folder: string, parents: readonly ParentLayer[]): Promise<number>
  destroyLayer(layer: string): Promise<number>
}
