// js_on_load of the page to sign in at.
gsi.adopt(element);
gsi.signIn(element);
