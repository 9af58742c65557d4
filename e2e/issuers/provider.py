"""A Django site that is an OpenID provider by django-oauth-toolkit, in one file.

`init CALLBACK SECRET` makes its database. `ask` is a client that people are asked
about, `app` one that they are not. What it says of people is what is in claims.json.
"""
import json, sys, django
from django.conf import settings

sys.modules['provider'] = sys.modules[__name__]
settings.configure(
    SECRET_KEY='for tests only', ROOT_URLCONF='provider', ALLOWED_HOSTS=['127.0.0.1'], USE_TZ=True, LOGIN_URL='/login/',
    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'people.sqlite'}},
    INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sessions', 'oauth2_provider'],
    MIDDLEWARE=['django.contrib.sessions.middleware.SessionMiddleware', 'django.contrib.auth.middleware.AuthenticationMiddleware'],
    TEMPLATES=[{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'OPTIONS': {'loaders': [
        ('django.template.loaders.locmem.Loader', {'login.html': '<form method="post">{% csrf_token %}{{ form }}</form>'}),
        'django.template.loaders.app_directories.Loader']}}],
    PASSWORD_HASHERS=['django.contrib.auth.hashers.MD5PasswordHasher'],
    OAUTH2_PROVIDER={
        'OIDC_ENABLED': True, 'OIDC_RSA_PRIVATE_KEY': open('key.pem').read(), 'OAUTH2_VALIDATOR_CLASS': 'provider.Validator',
        'SCOPES': {'openid': 'who you are', 'email': 'your address', 'profile': 'your name'}})
django.setup()

from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path
from oauth2_provider.models import Application
from oauth2_provider.oauth2_validators import OAuth2Validator


class Validator(OAuth2Validator):
    oidc_claim_scope = None  # whatever is asked for

    def get_additional_claims(self, request):
        with open('claims.json') as claims:
            return json.load(claims)


urlpatterns = [path('o/', include('oauth2_provider.urls')), path('login/', LoginView.as_view(template_name='login.html'))]
application = get_wsgi_application()

if sys.argv[1:2] == ['init']:
    call_command('migrate', verbosity=0)
    User.objects.create_user('ada', password='a password of ada')
    for name in 'app', 'ask':
        Application.objects.create(
            client_id=name, client_secret=sys.argv[3], client_type='confidential', authorization_grant_type='authorization-code',
            algorithm='RS256', redirect_uris=sys.argv[2], skip_authorization=name == 'app')
