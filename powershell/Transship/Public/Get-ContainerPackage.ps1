function Get-ContainerPackage {
    <#
    .SYNOPSIS
    Lists the packages of a repository, or the images of an archive, an engine or an image registry.

    .DESCRIPTION
    Each object has the property Reference, which selects it for the other cmdlets, and which they take from the
    pipeline. -Name, -Publisher and -Version choose among what is there; wildcards are allowed.

    .PARAMETER Reference
    Where to look: TRANSPORT:LOCATION, or an existing path, which is recognised by its content.

    .PARAMETER Name
    Gives only packages of this name, and images that one of whose names is like this.

    .PARAMETER Publisher
    Gives only packages of this publisher, with or without CN= in front.

    .PARAMETER Version
    Gives only packages of this version.

    .EXAMPLE
    Get-ContainerPackage inbox:D:\Repository | Sort-Object -Property SizeBytes -Descending

    The packages of a repository, the largest first.

    .EXAMPLE
    Get-ContainerPackage inbox:D:\Repository | Where-Object -Property IsOSImage

    The packages of operating systems.

    .EXAMPLE
    Get-ContainerPackage inbox:D:\Repository | Test-ContainerPackage | Where-Object -Property Ok -EQ $false

    Those that are damaged.

    .INPUTS
    Strings, files, and objects with a property Reference.

    .OUTPUTS
    Transship.Package: Kind, Reference, Identity, Publisher, Name, Version, IsOSImage, Names, ImageId, PayloadDigest,
    Dependencies, Platform, CreatedTime, SizeBytes, Layers.

    .LINK
    about_Transship
    #>
    [CmdletBinding()]
    [OutputType('Transship.Package')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [Alias('FullName')]
        [string] $Reference,

        [SupportsWildcards()]
        [string] $Name = '*',

        [SupportsWildcards()]
        [string] $Publisher = '*',

        [SupportsWildcards()]
        [string] $Version = '*'
    )

    process {
        $answer = Invoke-Transship -ArgumentList @('list', $Reference) -Target $Reference -Activity "Reading $Reference"
        if ($answer.Failure) {
            $PSCmdlet.WriteError($answer.Failure)
            return
        }
        Write-Finding -Document $answer.Document
        foreach ($item in $answer.Document.items) {
            $package = ConvertTo-Package -Document $item
            if ($Name -ne '*' -and -not (@($package.Name) + $package.Names -like $Name)) { continue }
            if ($Publisher -ne '*' -and $package.Publisher -notlike $Publisher -and $package.Publisher -notlike "CN=$Publisher") { continue }
            if ($Version -ne '*' -and [string] $package.Version -notlike $Version) { continue }
            $package
        }
    }
}

function ConvertTo-Package {
    # An item of a list. The full name of a package is CN=PUBLISHER_NAME_VERSION, and no name has an underscore.
    [CmdletBinding()]
    [OutputType([psobject])]
    param([Parameter(Mandatory)] [object] $Document)

    $names = @(Get-DocumentValue $Document names)
    $property = @{
        Names       = $names
        CreatedTime = ConvertFrom-IsoTime (Get-DocumentValue $Document createdTime)
        Name        = $names | Select-Object -First 1
        IsOSImage   = $false
    }
    $identity = Get-DocumentValue $Document identity
    if ($identity -and $identity -match '^(?<publisher>.+)_(?<name>[^_]+)_(?<version>\d+(\.\d+){1,3})$') {
        $property['Publisher'] = $Matches['publisher']
        $property['Name'] = $Matches['name']
        $property['Version'] = [version] $Matches['version']
        $property['IsOSImage'] = @(Get-DocumentValue $Document dependencies).Count -eq 0
    }
    New-TransshipObject -TypeName Transship.Package -Document $Document -Property $property
}
