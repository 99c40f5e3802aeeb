"""Stands in for curl_cffi, which Debian does not have: a request handler that says which browser it plays."""
from yt_dlp.networking._urllib import UrllibRH
from yt_dlp.networking.common import register_rh
from yt_dlp.networking.impersonate import ImpersonateRequestHandler, ImpersonateTarget


@register_rh
class FakeBrowserRH(ImpersonateRequestHandler, UrllibRH):
    _SUPPORTED_IMPERSONATE_TARGET_MAP = {ImpersonateTarget('chrome', '124', 'windows', '10'): 'chrome', ImpersonateTarget('safari', '17.0', 'ios'): 'safari'}

    def _check_extensions(self, extensions):
        super()._check_extensions(extensions)
        extensions.pop('impersonate', None)

    def _send(self, request):
        if target := self._get_request_target(request):
            request.headers['User-Agent'] = f'FakeBrowser {target}'
        return super()._send(request)
