function Export-ComputeLayer {
    <#
    .SYNOPSIS
    Turns a manager's runtime layer into a transport layout (Windows only).

    .DESCRIPTION
    Windows itself does this, in an elevated session on the container host. Parents are found by the layerchain.json
    that Docker keeps beside a layer, or given.

    .PARAMETER Path
    Folder of the runtime layer.

    .PARAMETER Destination
    New or empty folder for the transport layout.

    .PARAMETER Parent
    Folders of the parent layers, nearest first.

    .PARAMETER Writable
    The layer is a container's own, not one of an image.

    .EXAMPLE
    Export-ComputeLayer C:\ProgramData\docker\windowsfilter\1f8a D:\Layouts\Shop

    Exports a layer of Docker's.

    .EXAMPLE
    Get-Item C:\ProgramData\docker\windowsfilter\9c3e | Export-ComputeLayer -Destination D:\Layouts\State -Writable

    Exports what a container has written.

    .INPUTS
    Strings and folders.

    .OUTPUTS
    Transship.LayerMove: Runtime, TransportLayout, Parents, Library.

    .LINK
    Import-ComputeLayer

    .LINK
    about_Transship
    #>
    [CmdletBinding(SupportsShouldProcess)]
    [OutputType('Transship.LayerMove')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [Alias('FullName')]
        [string] $Path,

        [Parameter(Mandatory, Position = 1)]
        [string] $Destination,

        [string[]] $Parent,

        [switch] $Writable
    )

    process {
        $from = $null
        $from = $PSCmdlet.GetUnresolvedProviderPathFromPSPath($Path)
        $to = $null
        $to = $PSCmdlet.GetUnresolvedProviderPathFromPSPath($Destination)
        # Where PowerShell may not ask, ShouldProcess fails and the next statement runs: that must not be the work.
        $isAllowed = $false
        $isAllowed = $PSCmdlet.ShouldProcess($to, "Export $from")
        if (-not $isAllowed) { return }
        $arguments = @('layout', 'export', $from, $to)
        $arguments += @(Get-OptionArgument -Bound $PSBoundParameters -Option ([ordered]@{ Parent = '--parent'; Writable = '--writable' }))
        $answer = Invoke-Transship -ArgumentList $arguments -Target $Path -Activity "Exporting $from"
        if ($answer.Failure) { $PSCmdlet.WriteError($answer.Failure) }
        else { New-TransshipObject -TypeName Transship.LayerMove -Document $answer.Document }
    }
}
