function Import-ComputeLayer {
    <#
    .SYNOPSIS
    Turns a transport layout into a manager's runtime layer (Windows only).

    .DESCRIPTION
    Windows itself does this, in an elevated session on the container host. A layer without parents is finished as the
    base layer of an operating system.

    .PARAMETER Path
    Folder of the transport layout.

    .PARAMETER Destination
    Folder of the runtime layer; Windows makes it.

    .PARAMETER Parent
    Folders of the parent layers, nearest first.

    .EXAMPLE
    Import-ComputeLayer D:\Layouts\ServerCore D:\Layers\ServerCore

    Imports a base layer.

    .EXAMPLE
    Import-ComputeLayer D:\Layouts\Shop D:\Layers\Shop -Parent D:\Layers\IIS, D:\Layers\ServerCore

    Imports a layer on top of two others.

    .INPUTS
    Strings and folders.

    .OUTPUTS
    Transship.LayerMove: Runtime, TransportLayout, Parents, Library.

    .LINK
    Export-ComputeLayer

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

        [string[]] $Parent
    )

    process {
        $from = $null
        $from = $PSCmdlet.GetUnresolvedProviderPathFromPSPath($Path)
        $to = $null
        $to = $PSCmdlet.GetUnresolvedProviderPathFromPSPath($Destination)
        # Where PowerShell may not ask, ShouldProcess fails and the next statement runs: that must not be the work.
        $isAllowed = $false
        $isAllowed = $PSCmdlet.ShouldProcess($to, "Import $from")
        if (-not $isAllowed) { return }
        $arguments = @('layout', 'import', $from, $to)
        $arguments += @(Get-OptionArgument -Bound $PSBoundParameters -Option ([ordered]@{ Parent = '--parent' }))
        $answer = Invoke-Transship -ArgumentList $arguments -Target $Path -Activity "Importing $from"
        if ($answer.Failure) { $PSCmdlet.WriteError($answer.Failure) }
        else { New-TransshipObject -TypeName Transship.LayerMove -Document $answer.Document }
    }
}
