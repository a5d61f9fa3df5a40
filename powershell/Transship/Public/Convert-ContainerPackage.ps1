function Convert-ContainerPackage {
    <#
    .SYNOPSIS
    Converts between Docker images and inbox packages.

    .DESCRIPTION
    Carries an image or a package from one place to another, in either direction or within one stack. Nothing is visible
    at the destination before everything has been written and verified. Anything that the destination cannot store is a
    loss: it is in the property Losses of the result, and a warning. -Strict makes any loss an error.

    With -WhatIf the cmdlet makes the plan and returns it, and writes nothing.

    .PARAMETER Source
    What to convert: TRANSPORT:LOCATION, or an existing path, which is recognised by its content.

    .PARAMETER Destination
    Where to write it: TRANSPORT:LOCATION.

    .PARAMETER Base
    Where to find a base that the source only names; nearest first.

    .PARAMETER Parent
    What a transport layout builds on, as layout:DIR; nearest first.

    .PARAMETER Platform
    Takes only what is for this platform, for example windows/amd64.

    .PARAMETER AcceptBaseMismatch
    Accepts a base of another version than the one named. The result may not run.

    .PARAMETER Layers
    Whether the layers of an image become one package (squash) or one package each (chain). squash:FROM..TO merges those
    layers only; the base is 0.

    .PARAMETER OsLayers
    How many of the lowest layers are the operating system; the default, auto, finds out by evidence.

    .PARAMETER WithBase
    Squashes the operating system in as well, so that the result stands alone.

    .PARAMETER WithoutBase
    Writes the OS package as a stub: its identity without its bits.

    .PARAMETER All
    Converts everything that the source holds.

    .PARAMETER NoRecipe
    Does not keep with the result what makes the way back exact.

    .PARAMETER Name
    Name of the package, in place of the one that follows from the image.

    .PARAMETER Publisher
    Publisher of the package, as CN=Publisher.

    .PARAMETER PackageVersion
    Version of the package, as 1.2.3.4.

    .PARAMETER Tag
    Names of the image, in place of the one that follows from the package.

    .PARAMETER Compression
    Compression of layers: none, gzip, zstd, or zstd:LEVEL. By default as the source stores them.

    .PARAMETER ArchiveFormat
    Form of a docker-archive.

    .PARAMETER ManifestFormat
    Form of the image manifest.

    .PARAMETER Replace
    Overwrites what exists at the destination.

    .PARAMETER Strict
    Fails where the destination cannot store everything.

    .PARAMETER Report
    Also writes a page about the conversion for a browser, to this file.

    .EXAMPLE
    Convert-ContainerPackage -Source docker-archive:shop.tar -Destination inbox:D:\Repository

    Makes packages of an image that docker save wrote.

    .EXAMPLE
    Get-ChildItem *.tar | Convert-ContainerPackage -Destination inbox:D:\Repository -Layers chain

    Converts every archive of a folder, in the lossless form.

    .EXAMPLE
    (Convert-ContainerPackage shop.tar inbox:D:\Repository -WhatIf).Steps

    Shows what would happen without writing anything.

    .EXAMPLE
    Get-ContainerPackage inbox:D:\Repository -Name Shop | Convert-ContainerPackage -Destination docker-archive:again.tar

    Makes an image of a package again.

    .INPUTS
    Strings, files, and objects with a property Reference, as Get-ContainerPackage gives them.

    .OUTPUTS
    Transship.Conversion: Source, Destination, Exact, Artifacts, Losses, Notes, Inexact, BytesRead, BytesWritten,
    Seconds. With -WhatIf Transship.ConversionPlan: Source, Destination, Mode, Steps, OsLayers, Losses, Notes.

    .LINK
    about_Transship
    #>
    [CmdletBinding(SupportsShouldProcess)]
    [OutputType('Transship.Conversion', 'Transship.ConversionPlan')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [Alias('FullName', 'Reference')]
        [string] $Source,

        [Parameter(Mandatory, Position = 1)]
        [string] $Destination,

        [string[]] $Base,

        [string[]] $Parent,

        [string] $Platform,

        [switch] $AcceptBaseMismatch,

        [ValidatePattern('^(chain|squash(:\d+\.\.\d+)?)$')]
        [string] $Layers,

        [ValidatePattern('^(auto|\d+)$')]
        [string] $OsLayers,

        [switch] $WithBase,

        [switch] $WithoutBase,

        [switch] $All,

        [switch] $NoRecipe,

        [string] $Name,

        [string] $Publisher,

        [version] $PackageVersion,

        [string[]] $Tag,

        [ValidatePattern('^(none|gzip|zstd(:\d+)?)$')]
        [string] $Compression,

        [ValidateSet('v1', 'docker', 'hybrid')]
        [string] $ArchiveFormat,

        [ValidateSet('docker', 'oci')]
        [string] $ManifestFormat,

        [switch] $Replace,

        [switch] $Strict,

        [string] $Report
    )

    process {
        $arguments = @('convert', $Source, $Destination)
        $arguments += @(Get-OptionArgument -Bound $PSBoundParameters -Option $script:ReadingOptions)
        $arguments += @(Get-OptionArgument -Bound $PSBoundParameters -Option $script:ConvertOptions)
        # Where PowerShell may not ask, ShouldProcess fails and the next statement runs: that must not be the work.
        $isAllowed = $false
        $isAllowed = $PSCmdlet.ShouldProcess($Destination, "Convert $Source")
        if (-not $isAllowed) {
            if (-not $WhatIfPreference) { return }
            $answer = Invoke-Transship -ArgumentList ($arguments + '--dry-run') -Target $Source
            if ($answer.Failure) { $PSCmdlet.WriteError($answer.Failure) }
            else { New-TransshipObject -TypeName Transship.ConversionPlan -Document $answer.Document }
            return
        }
        if ($Report) { $arguments += '--report', $Report }
        $answer = Invoke-Transship -ArgumentList $arguments -Target $Source -Activity "Converting $Source"
        # One that fails does not keep the rest of the pipeline from its turn.
        if ($answer.Failure) {
            $PSCmdlet.WriteError($answer.Failure)
            return
        }
        Write-Finding -Document $answer.Document
        ConvertTo-Conversion -Document $answer.Document
    }
}

$script:ConvertOptions = [ordered]@{
    Layers         = '--layers'
    OsLayers       = '--os-layers'
    WithBase       = '--with-base'
    WithoutBase    = '--without-base'
    All            = '--all'
    NoRecipe       = '--no-keep-recipe'
    Name           = '--name'
    Publisher      = '--publisher'
    PackageVersion = '--package-version'
    Tag            = '--tag'
    Compression    = '--compression'
    ArchiveFormat  = '--archive-format'
    ManifestFormat = '--manifest-format'
    Replace        = '--replace'
    Strict         = '--strict'
}

function ConvertTo-Conversion {
    # The report of a conversion, with each artifact as an object that goes on through a pipeline.
    [CmdletBinding()]
    [OutputType([psobject])]
    param([Parameter(Mandatory)] [object] $Document)

    $artifacts = @(foreach ($artifact in $Document.artifacts) { New-TransshipObject -TypeName Transship.Artifact -Document $artifact })
    New-TransshipObject -TypeName Transship.Conversion -Document $Document -Property @{ Artifacts = $artifacts }
}
