# Every cmdlet that opens or makes packages, against the real command line: result, pipeline, -WhatIf, error record.
BeforeAll {
    . (Join-Path $PSScriptRoot 'Images.ps1')
}

AfterAll { Pop-Location }

Describe 'Get-ContainerPackage' {
    It 'gives typed objects that name, select and describe packages' {
        $packages = Get-ContainerPackage "inbox:$Repository"
        $packages.Name | Should -Be Shop, WebServer, WindowsServerCore
        $packages[0].PSObject.TypeNames[0] | Should -Be Transship.Package
        $packages[0].Publisher | Should -Be 'CN=Contoso'
        $packages[0].Version | Should -BeOfType version
        $packages[0].Dependencies | Should -Be 'CN=Contoso_WebServer_1.0.0.0'
        $packages.IsOSImage | Should -Be $false, $false, $true
        $packages[0].Reference | Should -Be "inbox:${Repository}:CN=Contoso_Shop_1.2.0.0"
    }

    It 'gives images of an archive, with the time in UTC' {
        $image = Get-ContainerPackage $Shop
        $image.Kind | Should -Be image
        $image.Name | Should -Be 'contoso/shop:1.2.0'
        $image.CreatedTime | Should -Be ([datetime] '2016-10-12T10:00:00Z').ToUniversalTime()
        $image.CreatedTime.Kind | Should -Be Utc
        # Of a package only, and there all the same, for scripts in strict mode.
        $image.PSObject.Properties.Name | Should -Contain Identity
        $image.Identity | Should -BeNullOrEmpty
    }

    It 'chooses by -<Parameter> <Value>' -ForEach @(
        @{ Parameter = 'Name'; Value = 'W*'; Expected = 'WebServer', 'WindowsServerCore' }
        @{ Parameter = 'Name'; Value = 'shop'; Expected = 'Shop' }
        @{ Parameter = 'Publisher'; Value = 'Microsoft'; Expected = 'WindowsServerCore' }
        @{ Parameter = 'Publisher'; Value = 'CN=Contoso'; Expected = 'Shop', 'WebServer' }
        @{ Parameter = 'Version'; Value = '1.*'; Expected = 'Shop', 'WebServer' }
    ) {
        $choice = @{ $Parameter = $Value }
        (Get-ContainerPackage "inbox:$Repository" @choice).Name | Should -Be $Expected
    }

    It 'takes files from the pipeline, by their FullName' {
        (Get-ChildItem $Images | Get-ContainerPackage).Name | Should -Be 'contoso/shop:1.2.0', 'contoso/shop:1.2.0'
    }

    It 'takes a path relative to the location of the session, not of the process' {
        Push-Location $Images
        try { (Get-ContainerPackage './shop one.tar').Kind | Should -Be image }
        finally { Pop-Location }
    }

    It 'writes an error with our code and goes on with the pipeline' {
        $names = @('missing.tar', $Shop | Get-ContainerPackage -ErrorVariable failures -ErrorAction SilentlyContinue).Name
        $names | Should -Be 'contoso/shop:1.2.0'
        $failures.Count | Should -Be 1
        $failures[0].FullyQualifiedErrorId | Should -Be 'NOT_FOUND,Get-ContainerPackage'
        $failures[0].CategoryInfo.Category | Should -Be ObjectNotFound
        $failures[0].TargetObject | Should -Be missing.tar
    }

    It 'ends the script where errors do' {
        { Get-ContainerPackage inbox:missing -ErrorAction Stop } | Should -Throw -ErrorId 'NOT_FOUND,Get-ContainerPackage'
    }
}

Describe 'Test-ContainerPackage' {
    It 'finds a repository sound, package by package' {
        $reports = Get-ContainerPackage "inbox:$Repository" | Test-ContainerPackage
        $reports.Count | Should -Be 3
        $reports.Ok | Should -Not -Contain $false
        $reports[0].PSObject.TypeNames[0] | Should -Be Transship.Verification
    }

    It 'gives faults as a result and no error' {
        $report = Test-ContainerPackage "docker-archive:$Damaged" -ErrorAction SilentlyContinue -ErrorVariable failures
        # A source that is cut may not be one that can be listed at all: then it is an error with a code.
        if ($failures) { $failures[0].FullyQualifiedErrorId | Should -Match '^ARCHIVE_\w+,Test-ContainerPackage$' }
        else { $report.Ok | Should -BeFalse }
        $copy = Copy-ToDrive $Repository broken
        Get-ChildItem $copy -Recurse -File -Filter *.ini | Select-Object -First 1 | ForEach-Object { $_.Delete() }
        $file = Get-ChildItem (Join-Path $copy 'CN=Contoso_Shop_1.2.0.0') -Recurse -File | Sort-Object Length -Descending | Select-Object -First 1
        [System.IO.File]::WriteAllBytes($file.FullName, [byte[]] (1, 2, 3))
        $report = Test-ContainerPackage "inbox:$copy"
        $report.Ok | Should -BeFalse
        @($report.Faults).Count | Should -BeGreaterThan 0
        Test-ContainerPackage "inbox:$copy" -Quiet | Should -BeFalse
    }

    It 'gives true or false with -Quiet' { Test-ContainerPackage $Shop -Quiet | Should -BeTrue }

    It 'writes an error for what cannot be read' {
        (Get-Failure { Test-ContainerPackage inbox:missing }).FullyQualifiedErrorId | Should -Be 'NOT_FOUND,Test-ContainerPackage'
    }
}

Describe 'Convert-ContainerPackage' {
    It 'makes a plan with -WhatIf, and writes nothing' {
        $plan = Convert-ContainerPackage $Shop inbox:planned -WhatIf
        $plan.PSObject.TypeNames[0] | Should -Be Transship.ConversionPlan
        $plan.Steps.Count | Should -Be 2
        Test-Path planned | Should -BeFalse
    }

    It 'passes every option on' {
        $plan = Convert-ContainerPackage $Shop inbox:planned -Layers chain -OsLayers 1 -Publisher 'CN=My "Own" & Co' -Name Store -PackageVersion 3.4 -WhatIf -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures.FullyQualifiedErrorId | Should -Be 'IDENTITY_INVALID,Convert-ContainerPackage'
        "$failures" | Should -BeLike '*3.4*' -Because 'the version is told as it was given'
        $plan = Convert-ContainerPackage $Shop inbox:planned -Layers chain -OsLayers 1 -Publisher CN=Own -Name Store -PackageVersion 3.4.0.0 -Strict -WhatIf
        $plan.Mode | Should -Be chain
        $plan.Steps[-1].title | Should -Be 'CN=Own_Store_3.4.0.0'
    }

    It 'converts the files of a folder there and back, through the pipeline' {
        $there = Get-ChildItem $Images | Convert-ContainerPackage -Destination inbox:there -Layers chain
        $there.Count | Should -Be 2
        $there[0].Exact | Should -BeTrue
        $there[0].Artifacts[-1].Identity | Should -Be 'CN=contoso_shop_1.2.0.0'
        $there[0].Artifacts | Test-ContainerPackage | ForEach-Object { $_.Ok | Should -BeTrue }
        $back = $there[0].Artifacts[-1] | Convert-ContainerPackage -Destination docker-archive:back.tar
        $back.Artifacts.ImageId | Should -Be (Get-ContainerPackage $Shop).ImageId
        Compare-ContainerPackage $Shop back.tar -Quiet -WarningAction SilentlyContinue | Should -BeTrue
    }

    It 'asks with -Confirm, and does nothing unless it is told yes' {
        # PowerShell that may not ask: that is an error, and no conversion.
        $code = "Set-Location '$Drive'; Import-Module '$ModulePath'; Convert-ContainerPackage '$Shop' inbox:asked -Confirm"
        $said = & (Join-Path $PSHOME pwsh) -NoProfile -NonInteractive -Command $code 2>&1
        "$said" | Should -BeLike '*NonInteractive*'
        Test-Path asked | Should -BeFalse
    }

    It 'warns of losses, and refuses them with -Strict' {
        $null = Convert-ContainerPackage $Shop inbox:losing -Layers chain
        $single = 'inbox:losing:CN=contoso_shop_1.2.0.0'
        $null = Convert-ContainerPackage $single appx:one.appx -WarningVariable warnings -WarningAction SilentlyContinue
        "$($warnings[0])" | Should -BeLike 'Lost: *'
        (Get-Failure { Convert-ContainerPackage $single appx:two.appx -Strict }).FullyQualifiedErrorId | Should -Be 'LOSS_REFUSED,Convert-ContainerPackage'
        Test-Path two.appx | Should -BeFalse
    }

    It 'goes on with the pipeline after a failure' {
        $made = @($Damaged, $Shop | Convert-ContainerPackage -Destination inbox:mixed -ErrorAction SilentlyContinue -ErrorVariable failures)
        $made.Count | Should -Be 1
        $failures.Count | Should -Be 1
        $failures[0].FullyQualifiedErrorId | Should -BeLike '*,Convert-ContainerPackage'
        $failures[0].TargetObject | Should -Be $Damaged
    }

    It 'refuses words that its options do not know' {
        { Convert-ContainerPackage a b -Layers both } | Should -Throw -ErrorId 'ParameterArgumentValidationError,Convert-ContainerPackage'
        { Convert-ContainerPackage a b -ArchiveFormat zip } | Should -Throw -ErrorId 'ParameterArgumentValidationError,Convert-ContainerPackage'
    }
}

Describe 'Compare-ContainerPackage' {
    It 'gives nothing for two that are the same, and true with -Quiet' {
        Compare-ContainerPackage $Shop (Join-Path $Images 'shop one.tar') | Should -BeNullOrEmpty
        Get-Item $Shop | Compare-ContainerPackage -Difference (Join-Path $Images 'shop one.tar') -Quiet | Should -BeTrue
    }

    It 'gives an object for each difference, and a warning for what was not compared' {
        $rows = Compare-ContainerPackage "inbox:${Repository}:CN=Contoso_WebServer_1.0.0.0" "inbox:${Repository}:Shop" -WarningVariable warnings -WarningAction SilentlyContinue
        $rows[0].PSObject.TypeNames[0] | Should -Be Transship.Difference
        ($rows | Group-Object Part).Name | Should -Contain files
        $rows.Change | ForEach-Object { $_ | Should -BeIn added, removed, changed }
        ($rows | Where-Object { $_.Part -eq 'metadata' -and $_.Path -eq 'name' }).Count | Should -BeLessOrEqual 1
        Compare-ContainerPackage "inbox:${Repository}:CN=Contoso_WebServer_1.0.0.0" "inbox:${Repository}:Shop" -Quiet -WarningAction SilentlyContinue | Should -BeFalse
    }

    It 'compares only the parts that are asked for' {
        $rows = Compare-ContainerPackage "inbox:${Repository}:CN=Contoso_WebServer_1.0.0.0" "inbox:${Repository}:Shop" -Only registry, metadata -IgnoreTime -WarningAction SilentlyContinue
        $rows.Part | Should -Not -Contain files
    }

    It 'writes an error for what is not there' {
        (Get-Failure { Compare-ContainerPackage $Shop inbox:missing }).FullyQualifiedErrorId | Should -Be 'NOT_FOUND,Compare-ContainerPackage'
    }
}

Describe 'Get-ContainerPackageFile' {
    It 'gives the files with attributes and times of their own types' {
        $files = Get-Item $Shop | Get-ContainerPackageFile
        $files[0].PSObject.TypeNames[0] | Should -Be Transship.File
        $folder = $files | Where-Object Path -EQ Files
        $folder.Attributes | Should -Be ([System.IO.FileAttributes]::Directory)
        $folder.LastWriteTimeUtc.ToFileTimeUtc() | Should -Be 131227202011234596
        $folder.Reference | Should -Be $Shop
        ($files | Where-Object Kind -EQ file | Measure-Object Length -Sum).Sum | Should -BeGreaterThan 0
    }

    It 'gives a part, and the changes of a layer' {
        $some = Get-ContainerPackageFile $Shop Files\Shop
        $some.Path | ForEach-Object { $_ | Should -BeLike 'Files/Shop*' }
        (Get-ContainerPackageFile $Shop -Layer 2).Layer | Sort-Object -Unique | Should -Be 2
    }

    It 'writes an error for a path that is not there' {
        (Get-Failure { Get-ContainerPackageFile $Shop Files/nothing }).FullyQualifiedErrorId | Should -Be 'NOT_FOUND,Get-ContainerPackageFile'
    }
}

Describe 'Get-ContainerPackageRegistry' {
    It 'gives keys with values, and data of the type that the value says' {
        $keys = Get-Item $Shop | Get-ContainerPackageRegistry
        $keys[0].PSObject.TypeNames[0] | Should -Be Transship.RegistryKey
        $values = Get-ContainerPackageRegistry $Shop -ExpandValue
        $locale = $values | Where-Object Name -EQ Locale
        $locale.Data | Should -Be '00000409'
        $locale.PSObject.TypeNames[0] | Should -Be Transship.RegistryValue
        $size = $values | Where-Object Type -EQ REG_DWORD | Select-Object -First 1
        $size.Data | Should -BeOfType uint32
        ($values | Where-Object Name -EQ CurrentBuild).Data | Should -BeOfType string
    }

    It 'gives a key with what is below, and hides secrets unless asked' {
        $some = Get-ContainerPackageRegistry $Shop 'HKLM\SYSTEM'
        $some.Path | ForEach-Object { $_ | Should -BeLike 'HKEY_LOCAL_MACHINE\SYSTEM*' }
        (Get-ContainerPackageRegistry $Shop 'HKLM\SAM' -ExpandValue | Where-Object Type -EQ REG_BINARY).Data | Should -BeNullOrEmpty
        $shown = (Get-ContainerPackageRegistry $Shop 'HKLM\SAM' -ExpandValue -ShowSecret | Where-Object Type -EQ REG_BINARY).Data
        , $shown | Should -BeOfType byte[]
    }

    It 'gives the changes of a layer' { Get-ContainerPackageRegistry $Shop -Layer 1 | Should -Not -BeNullOrEmpty }

    It 'writes an error for a key that is not there' {
        (Get-Failure { Get-ContainerPackageRegistry $Shop HKLM\Nothing }).FullyQualifiedErrorId | Should -Be 'NOT_FOUND,Get-ContainerPackageRegistry'
    }

    It 'reads <Type> of <Data> as <Expected>' -ForEach @(
        @{ Type = 'REG_SZ'; Data = 'aABpAAAA'; Expected = 'hi' }
        @{ Type = 'REG_SZ'; Data = 'MgAwADIANAAtADAAMQAtADAAMQBUADAAMAA6ADAAMAA6ADAAMABaAAAA'; Expected = '2024-01-01T00:00:00Z' }
        @{ Type = 'REG_SZ'; Data = ''; Expected = '' }
        @{ Type = 'REG_MULTI_SZ'; Data = 'YQAAAGIAAAAAAA=='; Expected = 'a', 'b' }
        @{ Type = 'REG_MULTI_SZ'; Data = 'YQAAAAAA'; Expected = @('a') }
        @{ Type = 'REG_DWORD'; Data = '/////w=='; Expected = [uint32]::MaxValue }
        @{ Type = 'REG_QWORD'; Data = '//////////8='; Expected = [uint64]::MaxValue }
        @{ Type = 'REG_DWORD'; Data = 'AQI='; Expected = [byte[]] (1, 2) }
        @{ Type = 'REG_SZ'; Data = 'AQID'; Expected = [byte[]] (1, 2, 3) }
        @{ Type = 'REG_BINARY'; Data = 'AQI='; Expected = [byte[]] (1, 2) }
    ) {
        $value = [pscustomobject] @{ name = 'x'; type = $Type; data = $Data }
        $read = InModuleScope Transship -Parameters @{ value = $value } { param($value) , (ConvertFrom-RegistryData -Value $value) }
        $read | Should -Be $Expected
        if (@($Expected).Count -gt 0) { @($read)[0].GetType() | Should -Be @($Expected)[0].GetType() }
    }

    It 'leaves text alone that looks like a date' {
        $document = InModuleScope Transship { ConvertFrom-TransshipJson -Text '{"a":"2024-01-01T00:00:00Z"}' }
        $document.a | Should -BeOfType string
    }
}
